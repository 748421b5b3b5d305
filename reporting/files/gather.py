"""`cityvitals kpi gather`: a file of figures for `kpi report`, computed from the city's maps, timetables and feeds."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import msgspec

from kpi_derivation.catalogue import KPIS
from registry.city import City
from reporting.figures.file import COLUMNS
from reporting.files import gbfs, geojson
from reporting.files.gtfs import Feed, stops_with_updates
from telemetry.errors import UsageError

T = TypeVar("T")
HA, KM2 = 10_000.0, 1e6
STOP_M = 500.0  # Verification Manual p79


class Inputs(msgspec.Struct, frozen=True, kw_only=True):
    """The files that there are. `green_m`, `green_ha`: distance and least size for access to green areas."""

    green: Path | None = None
    protected: Path | None = None
    recreation: Path | None = None
    pedestrian: Path | None = None
    bicycle_paths: Path | None = None
    population: Path | None = None
    gtfs: Path | None = None
    updates: tuple[Path, ...] = ()
    bicycles: tuple[Path, ...] = ()
    vehicles: tuple[Path, ...] = ()
    green_m: float = 300.0
    green_ha: float = 0.5


class Row(msgspec.Struct, frozen=True):
    """One figure: numerator and denominator in the units of the form."""

    code: str
    numerator: float
    denominator: float
    files: tuple[Path, ...]
    how: str


def gathered(city: City, year: int, given: Inputs) -> str:
    """The file's text. Raises UsageError naming the file that cannot be used, or the key of [city] that is missing."""
    rows = [row for part in (_green, _areas, _transport, _shared) for row in part(city, given)]
    if not rows:
        raise UsageError("Name at least one file, for example --green green.geojson; see `kpi gather --help`.")
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow((*COLUMNS, "name"))
    for row in rows:
        kpi = KPIS[row.code]
        source = ", ".join(f"{p.name} (sha256 {_digest(p)[:16]})" for p in row.files)
        numbers = ("", repr(row.numerator), repr(row.denominator))
        writer.writerow((row.code, "", year, *numbers, kpi.unit, source, "measured", row.how, kpi.name))
    return out.getvalue()


def _green(city: City, given: Inputs) -> Iterator[Row]:
    if not given.green:
        return
    shapes = [s for s, _ in _read(given.green, geojson.shapes_of)]
    area = _checked(given.green, lambda: geojson.area_m2(shapes))
    yield Row("EN:EN:PSN:1C", area / HA, _people(city), (given.green,), "area of the union of all green polygons")
    if given.population:
        people = _read(given.population, geojson.people_of)
        near, total = geojson.share_within(people, shapes, given.green_m, given.green_ha * HA)
        how = f"inhabitants within {given.green_m:g} m, straight, of a green area of {given.green_ha:g} ha"
        yield Row("EN:EN:PSN:2A", near, total, (given.green, given.population), how)


def _areas(city: City, given: Inputs) -> Iterator[Row]:
    wanted = (
        ("EN:EN:PSN:3A", given.protected, KM2, "area_km2"), ("EC:I:UP:1A", given.pedestrian, KM2, "area_km2"),
        ("EN:EN:PSN:4A", given.recreation, 1.0, "population"),
    )  # fmt: skip
    for code, path, unit, key in wanted:
        if path:
            shapes = [s for s, _ in _read(path, geojson.shapes_of)]
            area = _checked(path, lambda shapes=shapes: geojson.area_m2(shapes))  # type: ignore[misc]
            below = _people(city) if key == "population" else _needed(city, key)
            yield Row(code, area / unit, below, (path,), "area of the union of all polygons")
    if given.bicycle_paths:
        lines = [s for s, _ in _read(given.bicycle_paths, geojson.shapes_of)]
        km = _checked(given.bicycle_paths, lambda: geojson.length_km(lines))
        yield Row("EC:I:T:3C", km, _people(city), (given.bicycle_paths,), "length of the union of all lines")


def _transport(city: City, given: Inputs) -> Iterator[Row]:
    if not given.gtfs:
        return
    feed = _read_bytes(given.gtfs, Feed)
    km = _checked(given.gtfs, lambda: geojson.length_km(feed.lines()))
    yield Row("EC:I:T:1C", km, _people(city), (given.gtfs,), "length of the union of all ways of the trips")
    stops = _checked(given.gtfs, feed.stops)
    if given.population:
        people = _read(given.population, geojson.people_of)
        near, total = geojson.share_within(people, list(stops.values()), STOP_M)
        how = f"inhabitants within {STOP_M:g} m, straight, of a stop"
        yield Row("EC:I:T:2A", near, total, (given.gtfs, given.population), how)
    if given.updates:
        named = stops_with_updates([_read(path, json.loads) for path in given.updates])
        how = "stops that a recorded trip update names; a stop without a departure in that time is not among them"
        yield Row("EC:ICT:T:1C", float(len(named & stops.keys())), float(len(stops)), (given.gtfs, *given.updates), how)


def _shared(city: City, given: Inputs) -> Iterator[Row]:
    for code, paths in (("EC:I:T:6A", given.bicycles), ("EC:I:T:7A", given.vehicles)):
        if paths:
            texts = [_read(path, str) for path in paths]
            count = _checked(paths[0], lambda texts=texts: gbfs.vehicles(texts))  # type: ignore[misc]
            yield Row(code, float(count), _people(city), paths, "vehicles of one recorded moment")


def _people(city: City) -> float:
    """The denominator of a figure per 100 000 inhabitants."""
    return _needed(city, "population") / 100_000


def _needed(city: City, key: str) -> float:
    value = getattr(city.city, key)
    if value is None:
        raise UsageError(f"Set {key} in [city] of the city file; it is a denominator of these figures.")
    return float(value)


def _read(path: Path, parse: Callable[[str], T]) -> T:
    return _read_bytes(path, lambda raw: parse(raw.decode("utf-8-sig")))


def _read_bytes(path: Path, parse: Callable[[bytes], T]) -> T:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}.") from None
    return _checked(path, lambda: parse(raw))


def _checked(path: Path, make: Callable[[], T]) -> T:
    try:
        return make()
    except ValueError as error:
        raise UsageError(f"{path}: {error}.") from None


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
