"""`cityvitals kpi backfill --from-windows`: what came while a city was not served."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from adapters.sqlite.store import SqliteStore
from ingest.core import Ingest
from registry.city import City
from telemetry.partials import Partials, fold
from telemetry.readings import Readings
from telemetry.series import Series, SeriesTable
from telemetry.windows import DAY, HOUR, MINUTE
from tests.replay import cli

T0 = 1_709_294_400_000  # 2024-03-01T12:00Z
TOML = """
[city]
id = "aba"
name = "Aba"
country = "NG"
timezone = "Africa/Lagos"
population = 100
[[device]]
id = "m1"
kind = "electricity_meter"
quantities = ["energy_delta"]
interval_s = 3600
"""


def windows(table: SeriesTable, start: int, hours: int) -> Partials:
    series = table.id_of(Series("aba", "m1", "energy_delta"))
    t = [start + i * HOUR for i in range(hours)]
    return fold(Readings.of([series] * hours, t, [2.0] * hours), MINUTE, table.modulus(np.full(hours, series)))


def kwh(url: str, period: str) -> Any:
    rows = msgspec.json.decode(cli.show("aba", url, period))
    return next(row["value"] for row in rows if row["code"] == "LOCAL:E:METERED")


def test_windows_of_the_time_without_the_city_get_their_hours(tmp_path: Path) -> None:
    path, file = tmp_path / "store.db", tmp_path / "aba.toml"
    file.write_text(TOML, encoding="utf-8")
    city = City.model_validate(tomllib.loads(TOML))
    served = Ingest(SqliteStore(path))
    served.add_city(city, MINUTE)
    served.take("aba", windows(served.table, T0, 4))
    served.derive(T0 + DAY)
    served.store.close()
    unserved = Ingest(SqliteStore(path))
    unserved.take("aba", windows(unserved.table, T0 - 6 * HOUR, 3))
    unserved.store.close()
    url = f"sqlite:///{path}"
    cli.here("kpi", "backfill", "--city", file, "--store", url)
    assert kwh(url, "2024-03-01") == 8.0
    output = cli.here("kpi", "backfill", "--city", file, "--store", url, "--from-windows")
    assert "windows read                   7" in output
    assert kwh(url, "2024-03-01") == 14.0
