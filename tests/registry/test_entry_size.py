"""What an entry of the city file takes in memory."""

from __future__ import annotations

import gc
import tracemalloc
from pathlib import Path

from registry.config import load_city

_DEVICES, _MOST = 2000, 450  # bytes; 320 were measured, 1,750 as models
_HEAD = '[city]\nid = "large"\nname = "Large"\ncountry = "NO"\ntimezone = "UTC"\n'
_METER = '[[device]]\nid = "m{}"\nkind = "electricity_meter"\nquantities = ["energy_total"]\ninterval_s = 10\n'


def test_an_entry_takes_a_few_hundred_bytes(tmp_path: Path) -> None:
    path = tmp_path / "city.toml"
    path.write_text(_HEAD + "".join(_METER.format(n) for n in range(_DEVICES)), encoding="utf-8")
    load_city(path)  # what is made once
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        city = load_city(path)
        gc.collect()
        taken = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert len(city.device) == _DEVICES
    assert taken / _DEVICES < _MOST


def test_entries_share_their_lists_of_quantities(tmp_path: Path) -> None:
    path = tmp_path / "city.toml"
    path.write_text(_HEAD + _METER.format(1) + _METER.format(2), encoding="utf-8")
    one, other = load_city(path).device
    assert one.quantities is other.quantities
