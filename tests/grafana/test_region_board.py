"""The board of a region on cities that only report: an import writes what its panels read; no ingest runs."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from adapters.influx.store import InfluxStore
from registry.city import City
from registry.target import TargetEntry
from reporting.figures.reported import Reported
from reporting.region.cities_file import read_cities
from reporting.region.figures_import import import_figures
from reporting.report import report_figures
from tests.grafana.asking import dashboards, replaced
from tests.reporting.region.country import cities, cities_csv
from tests.servers import InfluxDB

NOW = 1_790_000_000_000
ROWS = cities()[:9]
CODE = "EC:ICT:ICT:2C"
AIR = "EN:EN:AQ:1C"  # sensors give it too, so a reported value has a part of its own
FIGURES = {row["id"]: (20.0 + 5 * n, 30.0 + 5 * n) for n, row in enumerate(ROWS)}  # 2023 and 2024: 30 to 70


def answer(influxdb: InfluxDB, database: str, title: str, chosen: str = ".*") -> list[dict[str, Any]]:
    [panel] = [p for p in dashboards()["region"]["panels"] if p["title"] == title]
    return influxdb.query(replaced(panel["targets"][0]["query"], 0, NOW, "x", {"${cities:regex}": chosen}), database)


def on_target(influxdb: InfluxDB, database: str) -> dict[str, float]:
    return {row["city"]: row["g0"] for row in answer(influxdb, database, "On target, by sub-dimension")}


def imported(store: InfluxStore, folder: Path, target: float) -> list[City]:
    goals = [TargetEntry(code=CODE, value=target), TargetEntry(code=AIR, part="no2", value=20)]
    places, _ = read_cities(cities_csv(ROWS), "cities.csv", goals)
    lines = [
        f"{city},{CODE},,{year},{value},office,measured"
        for city, values in FIGURES.items()
        for year, value in zip((2023, 2024), values, strict=True)
    ]
    lines += [f"{row['id']},{AIR},no2,2024,{18 + n},office,measured" for n, row in enumerate(ROWS)]
    (folder / "figures.csv").write_text("\n".join(["city,code,part,year,value,source,quality", *lines]))
    import_figures(store, folder / "figures.csv", places, NOW)
    return places


def test_what_is_imported_stands_on_the_board(influxdb: InfluxDB, tmp_path: Path) -> None:
    name = influxdb.create("region")
    store = InfluxStore.from_url(f"influxdb://127.0.0.1:{influxdb.port}/{name}")
    places = imported(store, tmp_path, 50)
    expected = {row["id"]: 100.0 if FIGURES[row["id"]][1] >= 50 else 0.0 for row in ROWS}
    assert on_target(influxdb, name) == expected
    air = {row["city"]: row["g3"] for row in answer(influxdb, name, "On target, by sub-dimension")}
    assert air == {row["id"]: 100.0 if 18 + n <= 20 else 0.0 for n, row in enumerate(ROWS)}
    row, reported = answer(influxdb, name, "The region by indicator")
    assert (reported["code"], reported["part"], reported["n"]) == (AIR, "no2:reported", 9)
    newest = sorted(value for _, value in FIGURES.values())
    assert (row["code"], row["n"], row["min"], row["max"]) == (CODE, 9, newest[0], newest[-1])
    assert (row["low"], row["median"], row["high"]) == tuple(
        newest[math.floor(p * 9 + 0.5) - 1]
        for p in (0.25, 0.5, 0.75)  # InfluxDB's nearest rank
    )
    some, _ = answer(influxdb, name, "The region by indicator", f"{places[0].id}|{places[1].id}")
    assert (some["n"], some["max"]) == (2, 35.0)

    figure = Reported(code=CODE, year=2025, value=90.0, quality="measured", source="office")
    report_figures(store, places[0], [figure], "figures.csv", NOW + 1)
    assert answer(influxdb, name, "The region by indicator")[0]["max"] == 90.0
    assert on_target(influxdb, name) == expected | {places[0].id: 100.0}
    imported(store, tmp_path, 80)  # the same figures under another target
    assert {city for city, share in on_target(influxdb, name).items() if share} == {places[0].id}
    assert len(answer(influxdb, name, "Indicators with a yearly value")) == 9
    store.close()
