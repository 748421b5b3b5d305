"""How fast the KPI engine is, from memory and on one core."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from kpi_derivation.engine.runner import Engine
from registry.city import City
from telemetry.partials import Partials, regroup
from telemetry.series import FloatArray, IntArray, Series, SeriesTable
from telemetry.windows import DAY, HOUR, MINUTE, window_start

START = 1_609_459_200_000  # 2021-01-01


class Made:
    """Hours of stations that are made when they are asked for; and windows that were put."""

    def __init__(self, stations: int, days: int) -> None:
        self.stations, self.end, self.windows = stations, START + days * DAY, Partials.empty()

    def partials(
        self, _city: str, level: str, start: int, end: int, _table: SeriesTable, series: IntArray | None = None
    ) -> Iterator[Partials]:
        """See History."""
        if level == "window":
            keep = (self.windows.start >= start) & (self.windows.start < end)
            yield self.windows.take(keep)
            return
        wanted = np.arange(self.stations) if series is None else series[series < self.stations]
        yield hourly(wanted, max(start, START), min(end, self.end))


def hourly(series: IntArray, start: int, end: int) -> Partials:
    """An hourly reading of each series, sorted by (series, start)."""
    t = np.arange(start, end, HOUR, dtype=np.int64)
    s, at = np.repeat(series, len(t)), np.tile(t, len(series))
    value = np.asarray(20.0 + (at // HOUR * 7 + s * 13) % 31, dtype=np.float64)
    return rows(s, at, value)


def rows(s: IntArray, at: IntArray, value: FloatArray) -> Partials:
    """Partials of one reading each."""
    one, nothing = np.ones(len(s), dtype=np.int64), np.full(len(s), np.nan)
    return Partials(s, at, one, value, value, value, value * value, at, value, at, value, nothing, 0 * one, 0 * one)


def city(stations: int, meters: int = 0) -> tuple[City, SeriesTable]:
    """A city of reference stations with one pollutant each, and of meters; and the table of their series."""
    devices = [{"id": f"s{i}", "kind": "air_reference", "quantities": ["no2"]} for i in range(stations)]
    devices += [{"id": f"m{i}", "kind": "electricity_meter", "quantities": ["energy_delta"]} for i in range(meters)]
    plain = {"id": "c", "name": "C", "country": "GB", "timezone": "Europe/London", "population": 1000}
    made = City.model_validate({"city": plain, "device": devices})
    names = [Series("c", f"s{i}", "no2") for i in range(stations)]
    return made, SeriesTable([*names, *(Series("c", f"m{i}", "energy_delta") for i in range(meters))])


def folding(count: int) -> float:
    """Partials a second, from minute windows to hours, sorted as stores give them."""
    series = np.repeat(np.arange(count // 10_000), 10_000)
    at = np.tile(START + MINUTE * np.arange(10_000), count // 10_000)
    windows = rows(series, at, np.asarray(20.0 + at % 31, dtype=np.float64))
    modulus = np.full(len(windows), np.nan)
    began = time.perf_counter()
    regroup(windows, window_start(windows.start, HOUR), modulus)
    return len(windows) / (time.perf_counter() - began)


def restored(stations: int, days: int, meters: int = 0) -> tuple[Engine, Made, float]:
    """An engine restored from the hours of this many days, all values derived; and the seconds that took."""
    made, (model, table) = Made(stations + meters, days), city(stations, meters)
    engine = Engine(model, table, made)
    began = time.perf_counter()
    engine.restore((START, made.end - HOUR), made.end - HOUR)
    engine.evaluate(made.end)
    return engine, made, time.perf_counter() - began


def late(stations: int, meters: int, days: int) -> tuple[float, float, float]:
    """Median ms from a late window of a station, and of a meter, to all its values; bytes of state a series."""
    engine, made, _ = restored(stations, days, meters)
    found = []
    for series in (0, stations):
        took = []
        for i in range(9):
            at = made.end - (2 + i % 3) * HOUR
            window = rows(np.array([series + i]), np.array([at]), np.array([50.0 + i]))
            made.windows = Partials.concat([made.windows, window]).latest()
            began = time.perf_counter()
            engine.absorb(window)
            engine.evaluate(made.end)
            took.append(1000 * (time.perf_counter() - began))
        found.append(sorted(took)[len(took) // 2])
    return found[0], found[1], engine.state_bytes() / (stations + meters)


def run(tenth: bool = False) -> list[dict[str, Any]]:
    """Rows of the table; `tenth`: with a tenth of the stations and series."""
    part = 10 if tenth else 1
    folding(500_000)  # the first pages of memory cost more than the fold
    speed = folding(5_000_000 // part)
    _, _, seconds = restored(1000 // part, 365)
    air, energy, size = late(500 // part, 9_500 // part, 30)
    series = f"{10_000 // part:,} series"
    return [
        {"what": "fold of minute windows to hours", "partials": 5_000_000 // part, "per_second": speed},
        {"what": f"a year of {1000 // part:,} hourly stations", "seconds": seconds},
        {"what": f"a late reading of a station, {series}", "seconds": air / 1000},
        {"what": f"a late reading of a meter, {series}", "seconds": energy / 1000},
        {"what": f"state a series, 30 days, {series}", "bytes": round(size)},
    ]
