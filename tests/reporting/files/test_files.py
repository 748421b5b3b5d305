"""Figures from maps, timetables and sharing feeds, against geodesy's constants and arithmetic on small shapes."""

from __future__ import annotations

import csv
import io
import json
import math
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import Point, box

from reporting.figures.file import read_figures
from reporting.files import geojson
from reporting.files.gbfs import vehicles
from reporting.files.gtfs import Feed
from reporting.files.plane import meridian_arc, to_metres
from telemetry.errors import UsageError
from tests.reporting.city import run

CITY = """
[city]
id = "town"
name = "Town"
country = "NO"
timezone = "Europe/Oslo"
population = 50000
area_km2 = 100
"""
LAT = 60.0


def metres(east: float, north: float) -> tuple[float, float]:
    """Degrees of a place so many metres from 10 E 60 N, by the radii of curvature there."""
    a, e2 = 6378137.0, 0.00669437999014
    s = math.sin(math.radians(LAT)) ** 2
    n, m = a / math.sqrt(1 - e2 * s), a * (1 - e2) / (1 - e2 * s) ** 1.5
    return 10 + math.degrees(east / (n * math.cos(math.radians(LAT)))), LAT + math.degrees(north / m)


def square(east: float, north: float, side: float) -> dict[str, Any]:
    ring = [metres(east + x * side, north + y * side) for x, y in ((0, 0), (1, 0), (1, 1), (0, 1), (0, 0))]
    return {"type": "Polygon", "coordinates": [ring]}


def collection(*features: tuple[dict[str, Any], dict[str, Any]]) -> str:
    plain = [{"type": "Feature", "geometry": g, "properties": p} for g, p in features]
    return json.dumps({"type": "FeatureCollection", "features": plain})


def point(east: float, north: float) -> dict[str, Any]:
    return {"type": "Point", "coordinates": metres(east, north)}


def test_the_quarter_of_the_meridian_is_that_of_wgs_84() -> None:
    assert float(meridian_arc(90.0)) == pytest.approx(10_001_965.729, abs=0.001)


@given(st.floats(-70, 70), st.floats(0.01, 0.5))
def test_areas_are_those_of_the_ellipsoid(south: float, size: float) -> None:
    """The area element M N cos(latitude), summed up in 2,000 strips."""
    a, e2, total = 6378137.0, 0.00669437999014, 0.0
    for i in range(2000):
        phi = math.radians(south + size * (i + 0.5) / 2000)
        w = 1 - e2 * math.sin(phi) ** 2
        total += a * (1 - e2) / w**1.5 * a / math.sqrt(w) * math.cos(phi) * math.radians(size / 2000)
    cell = box(10, south, 10 + size, south + size).segmentize(size / 200)
    assert to_metres(cell, 10 + size / 2).area == pytest.approx(total * math.radians(size), rel=1e-6)


def test_overlapping_areas_count_once_and_lines_too() -> None:
    one, other = square(0, 0, 100), square(50, 0, 100)
    shapes = [s for s, _ in geojson.shapes_of(collection((one, {}), (other, {})))]
    assert geojson.area_m2(shapes) == pytest.approx(15_000, rel=1e-3)
    line = {"type": "LineString", "coordinates": [metres(0, 0), metres(3000, 4000)]}
    lines = [s for s, _ in geojson.shapes_of(collection((line, {}), (line, {})))]
    assert geojson.length_km(lines) == pytest.approx(5.0, rel=1e-3)


def test_access_counts_people_within_the_distance_of_a_large_enough_area() -> None:
    large, small = square(0, 0, 100), square(5000, 0, 50)  # 1 ha, 0.25 ha
    places = ((-299, 50, 10), (-301, 50, 20), (50, 50, 40), (5000, -10, 80))
    people = geojson.people_of(collection(*((point(x, y), {"population": n}) for x, y, n in places)))
    shapes = [s for s, _ in geojson.shapes_of(collection((large, {}), (small, {})))]
    assert geojson.share_within(people, shapes, 300, 5000) == (50, 150)
    assert geojson.share_within(people, shapes, 300) == (130, 150)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "not JSON"),
        ('{"type": "Polygon"}', "not a GeoJSON FeatureCollection"),
        (collection(({"type": "Polygon", "coordinates": [[[1, 2]]]}, {})), "feature 1 has no valid geometry"),
        (collection((point(0, 0), {"population": "many"})), "not a point with a number"),
    ],
)
def test_a_file_that_does_not_fit_is_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        geojson.people_of(text)


def test_coordinates_in_metres_are_found() -> None:
    with pytest.raises(ValueError, match="coordinates are not degrees"):
        geojson.area_m2([box(590_000, 6_600_000, 600_000, 6_610_000)])


def feed(**tables: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, text in tables.items():
            archive.writestr(f"{name}.txt", text)
    return out.getvalue()


def stops() -> str:
    rows = [("a", metres(0, 0), ""), ("b", metres(3000, 4000), "0"), ("station", metres(0, 0), "1")]
    return "stop_id,stop_lon,stop_lat,location_type\n" + "".join(f"{i},{x},{y},{t}\n" for i, (x, y), t in rows)


TIMES = "trip_id,stop_id,stop_sequence\nt1,b,2\nt1,a,1\nt2,b,1\nt2,a,2\n"


def test_a_network_without_shapes_is_drawn_from_stop_to_stop_once_for_both_directions() -> None:
    found = Feed(feed(stops=stops(), stop_times=TIMES))
    assert set(found.stops()) == {"a", "b"}  # the station is a parent of boarding places
    assert geojson.length_km(found.lines()) == pytest.approx(5.0, rel=1e-3)


def test_shapes_win_over_straight_lines() -> None:
    rows = "".join(
        f"s,{i},{metres(x, y)[0]},{metres(x, y)[1]}\n" for i, x, y in ((2, 3000, 0), (10, 3000, 4000), (1, 0, 0))
    )
    found = Feed(
        feed(stops=stops(), stop_times=TIMES, shapes=f"shape_id,shape_pt_sequence,shape_pt_lon,shape_pt_lat\n{rows}")
    )
    assert geojson.length_km(found.lines()) == pytest.approx(7.0, rel=1e-3)


def test_vehicles_at_stations_and_elsewhere_are_counted_once() -> None:
    stations = json.dumps({"data": {"stations": [
        {"station_id": "1", "num_bikes_available": 5, "num_bikes_disabled": 1},
        {"station_id": "2", "num_vehicles_available": 3},
    ]}})  # fmt: skip
    free = json.dumps({"data": {"vehicles": [{"vehicle_id": "x", "station_id": "1"}, {"vehicle_id": "y"}]}})
    assert vehicles([stations, free]) == 10
    with pytest.raises(ValueError, match="file 1 is not a GBFS file"):
        vehicles(["[]"])


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "city.toml").write_text(CITY)
    (tmp_path / "green.geojson").write_text(collection((square(0, 0, 1000), {})))  # 100 ha
    people = [(point(500, 500), {"population": 30000}), (point(9000, 9000), {"population": 20000})]
    (tmp_path / "people.geojson").write_text(collection(*people))
    (tmp_path / "gtfs.zip").write_bytes(feed(stops=stops(), stop_times=TIMES))
    update = {"entity": [{"trip_update": {"stop_time_update": [{"stop_id": "a"}, {"stop_id": "elsewhere"}]}}]}
    (tmp_path / "updates.json").write_text(json.dumps(update))
    bikes = {"data": {"stations": [{"station_id": "1", "num_bikes_available": 40}]}}
    (tmp_path / "bikes.json").write_text(json.dumps(bikes))
    return tmp_path


def gather(folder: Path, *words: str) -> dict[str, float]:
    run("kpi", "gather", folder / "city.toml", "--year", "2026", "--out", folder / "out.csv", *words)
    return {f.code: f.value for f in read_figures((folder / "out.csv").read_text(), "out.csv")}


def test_gathered_figures_are_those_that_report_reads(files: Path) -> None:
    f = str(files)
    found = gather(
        files, "--green", f"{f}/green.geojson", "--population", f"{f}/people.geojson", "--gtfs", f"{f}/gtfs.zip",
        "--updates", f"{f}/updates.json", "--bicycles", f"{f}/bikes.json", "--protected", f"{f}/green.geojson",
        "--recreation", f"{f}/green.geojson",
    )  # fmt: skip
    assert found == {
        "EN:EN:PSN:1C": pytest.approx(200, rel=1e-3),  # ha per 100 000
        "EN:EN:PSN:2A": pytest.approx(60.0),
        "EN:EN:PSN:3A": pytest.approx(1.0, rel=1e-3),
        "EN:EN:PSN:4A": pytest.approx(2e6, rel=1e-3),  # m2 per 100 000
        "EC:I:T:1C": pytest.approx(10.0, rel=1e-3),  # km per 100 000
        "EC:I:T:2A": pytest.approx(0.0, abs=100.0),
        "EC:ICT:T:1C": pytest.approx(50.0),
        "EC:I:T:6A": pytest.approx(80.0),
    }
    [row] = [r for r in csv.DictReader((files / "out.csv").open()) if r["code"] == "EN:EN:PSN:1C"]
    assert "green.geojson (sha256 " in row["source"]
    run("kpi", "report", files / "city.toml", files / "out.csv", "--store", f"sqlite:///{files}/town.db")


def test_gather_without_a_file_or_a_denominator_is_a_sentence(files: Path) -> None:
    with pytest.raises(UsageError, match="at least one file"):
        gather(files)
    (files / "city.toml").write_text(CITY.replace("population = 50000\n", ""))
    with pytest.raises(UsageError, match="Set population"):
        gather(files, "--green", f"{files}/green.geojson")
    with pytest.raises(UsageError, match=r"green\.geojson: it is not a zip file"):
        gather(files, "--gtfs", f"{files}/green.geojson")


def test_a_point_is_where_it_was() -> None:
    assert to_metres(Point(*metres(0, 0)), 10).bounds[0] == pytest.approx(0.0, abs=1e-6)
