"""How long plans take: 200 charging points over a year of quarters, a scenario of 10,000 meters over a month."""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator
from datetime import date
from typing import Any

import numpy as np

from planning.charging.answer import PlanInput
from planning.charging.calculator import Site, plan
from planning.charging.connection import Connection
from planning.charging.sessions import Sessions
from planning.grid import Grid
from planning.measured import parse_span
from planning.scenario import Measured, Scenario, run
from registry.city import City
from telemetry.partials import Partials
from telemetry.series import IntArray, Series, SeriesTable
from telemetry.windows import DAY, HOUR

START = 1_546_300_800_000


def sessions(users: int, days: int) -> Sessions:
    """Every user about five times a week, evenings and nights."""
    rng = np.random.default_rng(1)
    count = days * 5 // 7
    user = np.repeat(np.arange(users), count)
    start = START + rng.integers(0, days, len(user)) * DAY + rng.integers(15 * 60, 23 * 60, len(user)) * 60_000
    end = start + rng.integers(4 * 60, 14 * 60, len(user)) * 60_000
    return Sessions(start, end, rng.gamma(2.0, 6.0, len(user)), user, tuple(map(str, range(users))))


class Meters:
    """Hours of half-hourly meters for a month, made when they are read."""

    def __init__(self, meters: int, days: int) -> None:
        self.names = [f"meter-{i:05}" for i in range(meters)]
        self.days = days

    def partials(
        self, city: str, level: str, start: int, end: int, table: SeriesTable, series: IntArray | None = None
    ) -> Iterator[Partials]:
        first, last = max(start, START - DAY), min(end, START + self.days * DAY)
        ids = np.array([table.id_of(Series(city, name, "energy_delta")) for name in self.names])
        asked = np.ones(len(ids), dtype=np.bool_) if series is None else np.isin(ids, series)
        wanted, number = ids[asked], np.flatnonzero(asked)
        for day in range(first, last, DAY):
            hours = np.arange(day, min(day + DAY, last), HOUR)
            at = np.tile(hours, len(wanted))
            one, meter = np.repeat(wanted, len(hours)), np.repeat(number, len(hours))
            a, b = 0.1 + (meter * 7 + at // HOUR) % 13 / 50.0, 0.1 + (meter * 3 + at // HOUR) % 11 / 50.0
            none = np.full(len(at), np.nan)
            zero = np.zeros(len(at), dtype=np.int64)
            yield Partials(
                one, at, zero + 2, a + b, np.minimum(a, b), np.maximum(a, b), a * a + b * b, at, a,
                at + HOUR // 2, b, none, zero, zero,
            )  # fmt: skip


def calculator() -> dict[str, Any]:
    """200 points, 300 draws, a year of quarters, with load, managed limit and cheap hour."""
    grid = Grid.over(START, START + 365 * DAY)
    base = 40 + 15 * np.sin(2 * np.pi * np.arange(grid.slots) / 96)
    site = Site(grid, sessions(200, 365), base, START + DAY * np.arange(366) + 22 * HOUR)
    began = time.perf_counter(), time.process_time()
    plan(PlanInput(points=200, connection=Connection(250), day=date(2026, 1, 1)), site)
    return _row("charging plan: 200 points, 300 draws, a year of quarters", began)


def scenario(meters: int, days: int = 31) -> dict[str, Any]:
    """40 % electric cars, 300 draws, half-hourly meters."""
    history = Meters(meters, days)
    devices = [
        {"id": n, "kind": "electricity_meter", "quantities": ["energy_delta"], "interval_s": 1800}
        for n in history.names
    ]
    numbers = {"id": "big", "name": "Big", "country": "GB", "timezone": "UTC"}
    city = City.model_validate({"city": numbers, "device": devices})
    measured = Measured(city, history, parse_span("2019-01", city), START + 400 * DAY, sessions(70, days))
    entry = {"kind": "ev_share", "share": 0.4, "least_kwh": 1.0}
    began = time.perf_counter(), time.process_time()
    run(Scenario(name="bench", transforms=(entry,), draws=300), measured)
    return _row(f"scenario: {meters:,} meters, {days} days, 40 % cars, 300 draws", began)


def _row(what: str, began: tuple[float, float]) -> dict[str, Any]:
    spent = {"seconds": round(time.perf_counter() - began[0], 2), "cpu_s": round(time.process_time() - began[1], 2)}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"what": what, **spent, "peak_mb": round(peak)}


def run_all(quick: bool) -> list[dict[str, Any]]:
    """The rows of the benchmark table."""
    return [calculator(), scenario(1_000 if quick else 10_000)]


if __name__ == "__main__":
    for line in run_all(quick=False):
        print(line)
