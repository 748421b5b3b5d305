"""`cityvitals replay --through`: recorded readings over a real broker and a running gateway and ingest."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from adapters.files.recorded import read
from adapters.mqtt.broker import Broker
from adapters.mqtt.link import Link
from adapters.store import Store
from cityvitals.replay.columns import convert
from cityvitals.replay.replay import Progress, Summary, parts
from gateway.batch import Batch
from registry.city import City
from simulators.publisher import Publisher, packs
from telemetry.errors import CityVitalsError
from telemetry.series import SeriesTable
from telemetry.windows import HOUR, MINUTE

_PATIENCE = 60.0


def run(city: City, url: str, paths: list[Path], speed: float | None, progress: Progress) -> Summary:
    """Publish the files' rows; returns once the broker has acknowledged them all."""
    began = time.perf_counter()
    link = Link(Broker.parse(url), f"replay-{os.getpid()}", session=False)
    publisher, summary = Publisher(link), Summary()
    for part in parts(paths, speed):
        for device, payload in packs(part):
            publisher.send(city.id, device, payload)
        progress("reading", len(part))
        summary.rows += len(part) + len(part.bad)
        summary.rejected += len(part.bad)
        summary.bad += [f"{part.path.name}, line {b.line}: {b.reason}" for b in part.bad]
    publisher.settle()
    link.close()
    summary.seconds = time.perf_counter() - began
    return summary


def follow(store: Store, city: City, paths: list[Path], progress: Callable[[int], None]) -> int:
    """Wait until the store holds the files' readings and the KPIs stand still. Returns how many it holds of them.

    A reading counts once, and those that quality control flags count too. Rows that the gateway rejects never come:
    when nothing moves for a minute the wait ends with an error that says how many are missing.
    """
    expected, first, last = _expected(city, paths)
    held, moved = -1, time.monotonic()
    while held < sum(expected.values()):
        now_held = _held(store, city, expected, first, last)
        progress(now_held)
        if now_held != held:
            held, moved = now_held, time.monotonic()
        elif time.monotonic() - moved > _PATIENCE:
            raise CityVitalsError(
                f"The store holds {held} of {sum(expected.values())} readings and nothing moves. Are gateway and ingest"
                f" running for '{city.id}'? See `cityvitals rejects list`."
            )
        if held < sum(expected.values()):
            time.sleep(0.5)
    _kpis_settled(store, city)
    return held


def _expected(city: City, paths: list[Path]) -> tuple[dict[tuple[str, str], int], int, int]:
    """Different readings of each (device, quantity) in the files that can be used, and their first and last time."""
    seen: dict[tuple[str, str], set[tuple[int, int]]] = {}
    table = SeriesTable()
    batch = Batch(table)
    for path in paths:
        for chunk in read(path):
            readings = convert(chunk, city.id, batch, table, time.time_ns() // 1_000_000).readings
            for series, t, key in zip(
                readings.series.tolist(), readings.t.tolist(), readings.key.tolist(), strict=True
            ):
                seen.setdefault((table[series].device, table[series].quantity), set()).add((t, key))
    times = [t for found in seen.values() for t, _ in found]
    counts = {name: len(found) for name, found in seen.items()}
    return counts, min(times, default=0), max(times, default=0)


def _held(store: Store, city: City, expected: dict[tuple[str, str], int], first: int, last: int) -> int:
    """How many of the expected readings the store's hours of that time stand for."""
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
