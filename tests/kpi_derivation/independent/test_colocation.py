"""A recorded low-cost sensor against the official station in the same street: the line, once more by SQL."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

pytest.importorskip("duckdb")

from tests.kpi_derivation.independent.sql import Sheet
from tests.replay import cli, recorded

SENSOR, STATION = "sds011-8554", "union-street"


def test_the_line_between_a_recorded_sensor_and_a_station(tmp_path: Path) -> None:
    august = [
        [r for r in recorded.rows(name) if r[1:3] == [device, "pm2_5"] and r[0] < "2018-08-15"]
        for name, device in (("aberdeen_sds011_2018-07-15_2018-09-15", SENSOR), (recorded.STATIONS, STATION))
    ]
    header = ["time", "device", "quantity", "value", "unit"]
    readings = recorded.write(tmp_path / "r.csv", header, [*august[0], *(r for r in august[1] if r[0] >= "2018-07-15")])
    city = tmp_path / "aberdeen.toml"
    known = recorded.city("aberdeen").read_text()
    city.write_text(known.replace(f'id = "{SENSOR}"', f'id = "{SENSOR}"\ninterval_s = 148'))
    store = f"sqlite:///{tmp_path}/a.db"
    cli.replay(city, store, readings, how=cli.here)
    words = ("--against", STATION, "--quantity", "pm2_5", "--period", "2018-07..2018-08", "--format", "json")
    found: dict[str, Any] = msgspec.json.decode(cli.here("calibrate", SENSOR, "--city", city, "--store", store, *words))
    sheet = Sheet("Europe/London")
    sheet.load(readings)
    slope, intercept, r2, n = sheet.line("pm2_5", SENSOR, STATION, 148 / 60)
    assert n > 200
    assert found["n"] == n
    assert [found["gain"], found["offset"], found["r2"]] == pytest.approx([slope, intercept, r2], rel=1e-9)
