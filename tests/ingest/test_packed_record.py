"""A city record that is seldom read is held in few bytes."""

from __future__ import annotations

import tracemalloc

from adapters.store import CityRecord, PackedRecord
from telemetry.windows import MINUTE


def _record(devices: int) -> CityRecord:
    meter = {"kind": "electricity_meter", "interval_s": 0.1}
    listed = [{"id": f"m{n}", "quantities": ["energy_total"]} | meter for n in range(devices)]
    config = {"city": {"id": "aba", "name": "Å", "extra": {"nan": None, "rate": 0.1}}, "device": listed}
    return CityRecord("aba", config, MINUTE, {"LOCAL:E:METERED": [["rows", "energy_total", "electricity_meter"]]})


def test_it_comes_back_as_it_was() -> None:
    assert PackedRecord.of(_record(3)).record() == _record(3)


def test_a_device_takes_few_bytes() -> None:
    tracemalloc.start()
    try:
        held = PackedRecord.of(_record(5000))
        assert tracemalloc.get_traced_memory()[0] < 5000 * 30  # as a dictionary more than ten times that
    finally:
        tracemalloc.stop()
    assert held.record().config["device"][4999]["id"] == "m4999"
