"""The whole chain on real parts: a MicroPython node, Mosquitto, gateway, ingest, store, KPI."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest

from adapters.sqlite.store import SqliteStore
from telemetry.kpi_value import KpiQuery
from tests.chain import chain
from tests.conftest import ServerFactory
from tests.firmware.node import Node
from tests.processes import wait_for
from tests.replay.cli import here
from tests.servers import Mosquitto

# The running hour counts from its first reading, so that the test need not last an hour.
CITY = """
[city]
id = "e2e"
name = "End to End"
country = "NO"
timezone = "Europe/Oslo"
population = 1

[rules]
hour_capture = 0.0
period_capture = 0.0

[[device]]
id = "air-01"
kind = "air_lowcost"
quantities = ["pm2_5", "pm10", "temperature"]
"""


@pytest.mark.parametrize("bits", [64, 32])
def test_bytes_of_a_dust_sensor_become_an_air_pollution_kpi(server: ServerFactory, tmp_path: Path, bits: int) -> None:
    broker = server(Mosquitto)
    city = tmp_path / "city.toml"
    city.write_text(CITY, encoding="utf-8")
    store = f"sqlite:///{tmp_path / 'store.db'}"

    def newest() -> dict[str, object]:
        if not (tmp_path / "store.db").exists():
            return {}
        opened = SqliteStore(tmp_path / "store.db")
        found = opened.kpis(KpiQuery("e2e", kinds=["day"], codes=["EN:EN:AQ:1C"]))
        opened.close()
        return {v.kpi.part: v.kpi.value for v in found if v.kpi.value is not None}

    with chain(tmp_path / "chain", city, broker.port, store) as running, Node(tmp_path / "node", bits) as node:
        node.start("127.0.0.1", broker.port, "e2e", "air-01")
        wait_for(lambda: {"pm2_5", "pm10"} <= newest().keys(), 40, "the KPI of both particle sizes")
        values = newest()
        assert all(process.poll() is None for process in running.processes.values())
    # The model of the PMS5003 sends 10 and 12 µg/m³ (atmospheric), see tests/firmware/test_first_node.py.
    assert values["pm2_5"] == pytest.approx(10.0)
    assert values["pm10"] == pytest.approx(12.0)
    today = f"{datetime.now(ZoneInfo('Europe/Oslo')):%Y-%m-%d}"  # the last 24 hours end at the last full hour
    shown = msgspec.json.decode(
        here("kpi", "show", "--city", "e2e", "--store", store, "--period", today, "--format", "json")
    )
    pm = next(v for v in shown if v["part"] == "pm2_5")
    assert pm["value"] == pytest.approx(10.0)
    assert pm["status"] == "provisional"
    assert "indicative" in pm["notes"]
