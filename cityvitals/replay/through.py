"""`cityvitals replay --through`: recorded readings over a real broker and a running gateway and ingest."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from adapters.mqtt.broker import Broker
from adapters.mqtt.link import Link
from adapters.store import Store
from cityvitals.replay.columns import convert
from cityvitals.replay.replay import Progress, Summary, parts, size
from gateway.batch import Batch
from gateway.recorded import How, read
from registry.city import City
from simulators.publisher import Publisher, packs
from telemetry.errors import CityVitalsError
from telemetry.series import SeriesTable
from telemetry.windows import HOUR, MINUTE

_IDLE_S = 60.0


def run(
    city: City, url: str, paths: list[Path], speed: float | None, progress: Progress, how: How | None = None
) -> Summary:
    """Publish the files' rows; returns once the broker has acknowledged them all. Progress is in bytes of the files."""
    began, how, total = time.perf_counter(), how or How(), size(paths)
    link = Link(Broker.parse(url), f"replay-{os.getpid()}", session=False)
    publisher, summary = Publisher(link), Summary()
    for part in parts(paths, speed, how):
        for device, payload in packs(part):
            publisher.send(city.id, device, payload)
        progress("reading", part.size, total)
        summary.rows += len(part) + len(part.invalid)
        summary.rejected += len(part.invalid)
        summary.problems += [f"{part.path.name}, line {b.line}: {b.reason}" for b in part.invalid]
    publisher.settle()
    link.close()
    summary.unasked = how.unasked
    summary.seconds = time.perf_counter() - began
    return summary


def follow(store: Store, city: City, paths: list[Path], progress: Callable[[int], None], how: How | None = None) -> int:
    """Wait until the store contains the files' readings and the KPIs no longer change. Returns the number of readings.

    A reading counts once; flagged readings count too. Rows that the gateway rejects never arrive: when nothing changes
    for a minute, the wait ends with an error that states how many are missing.
    """
    expected, first, last = _expected(city, paths, how or How())
    stored, moved = -1, time.monotonic()
    while stored < sum(expected.values()):
        now_stored = _held(store, city, expected, first, last)
        progress(now_stored)
        if now_stored != stored:
            stored, moved = now_stored, time.monotonic()
        elif time.monotonic() - moved > _IDLE_S:
            raise CityVitalsError(
                f"The store contains {stored} of {sum(expected.values())} readings and nothing changes."
                f" Are gateway and ingest running for '{city.id}'? See `cityvitals rejects list`."
            )
        if stored < sum(expected.values()):
            time.sleep(0.5)
    _kpis_settled(store, city)
    return stored


def _expected(city: City, paths: list[Path], how: How) -> tuple[dict[tuple[str, str], int], int, int]:
    """Number of different valid readings of each (device, quantity) in the files, and their first and last time."""
    seen: dict[tuple[str, str], set[tuple[int, int]]] = {}
    table = SeriesTable()
    batch = Batch(table)
    for path in paths:
        for chunk in read(path, how):
            readings = convert(chunk, city.id, batch, table, time.time_ns() // 1_000_000).readings
            for series, t, key in zip(
                readings.series.tolist(), readings.t.tolist(), readings.key.tolist(), strict=True
            ):
                seen.setdefault((table[series].device, table[series].quantity), set()).add((t, key))
    times = [t for found in seen.values() for t, _ in found]
    counts = {name: len(found) for name, found in seen.items()}
    return counts, min(times, default=0), max(times, default=0)


def _held(store: Store, city: City, expected: dict[tuple[str, str], int], first: int, last: int) -> int:
    """How many of the expected readings the store's hours of that time contain."""
    table = SeriesTable()
    found: dict[tuple[str, str], int] = {}
    for part in store.partials(city.id, "hour", first - HOUR, last + 1, table):
        ids, place = np.unique(part.series, return_inverse=True)
        sums = np.bincount(place, weights=part.n + part.flagged)
        for series, count in zip(ids.tolist(), sums.tolist(), strict=True):
            name = (table[series].device, table[series].quantity)
            found[name] = found.get(name, 0) + int(count)
    return sum(min(found.get(name, 0), count) for name, count in expected.items())


def _kpis_settled(store: Store, city: City) -> None:
    """Wait until no KPI value has changed for two seconds."""
    since = time.time_ns() // 1_000_000 - 10 * MINUTE
    state, quiet = -1, time.monotonic()
    while time.monotonic() - quiet < 2.0:
        newest = max((v.updated for v in store.kpis_changed(city.id, since)), default=0)
        if newest != state:
            state, quiet = newest, time.monotonic()
        time.sleep(0.2)
