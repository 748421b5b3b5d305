"""`cityvitals replay --through`: recorded readings over a real broker and a running gateway and ingest."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from adapters.mqtt import Broker, Link
from adapters.store import Store
from cityvitals.replay import Progress, Summary, slices
from simulators.publisher import Publisher, packs
from simulators.recorded import read
from telemetry.city import City
from telemetry.errors import CityVitalsError
from telemetry.series import SeriesTable
from telemetry.windows import MINUTE

_PATIENCE = 60.0


def run(city: City, url: str, paths: list[Path], speed: float | None, progress: Progress) -> Summary:
    """Publish the files' rows; returns once the broker has acknowledged them all."""
    began = time.perf_counter()
    link = Link(Broker.parse(url), f"replay-{os.getpid()}", session=False)
    publisher, summary = Publisher(link), Summary()
    for path in paths:
        for chunk in read(path):
            for part in [chunk] if speed is None else slices(chunk, speed):
                step = time.perf_counter()
                for device, payload in packs(part):
                    publisher.send(city.id, device, payload)
                progress("reading", len(part.rows))
                if speed is not None:
                    time.sleep(max(0.0, 1.0 - (time.perf_counter() - step)))
            summary.rows += len(chunk.rows) + len(chunk.bad)
    publisher.settle()
    link.close()
    summary.seconds = time.perf_counter() - began
    return summary


def follow(store: Store, city: City, paths: list[Path], progress: Callable[[int], None]) -> int:
    """Wait until the store holds a reading for every row of the files, and the KPIs stand still. Returns readings.

    Rows that quality control refuses count as `flagged`; rows the gateway rejects never come, so when nothing moves
    any more for a minute the wait ends with an error that says how many are missing.
    """
    expected = sum(len(chunk.rows) for path in paths for chunk in read(path))
    last, moved = -1, time.monotonic()
    while last < expected:
        held = _held(store, city)
        progress(held)
        if held != last:
            last, moved = held, time.monotonic()
        elif time.monotonic() - moved > _PATIENCE:
            raise CityVitalsError(
                f"The store holds {held} of {expected} readings and nothing moves. Are gateway and ingest running for"
                f" '{city.id}'? See `cityvitals rejects list`."
            )
        if held < expected:
            time.sleep(0.5)
    _kpis_settled(store, city)
    return last


def _held(store: Store, city: City) -> int:
    """Readings that the store's windows stand for; the split pieces of sessions are not counted."""
    table = SeriesTable()
    total = 0
    for part in store.partials(city.id, "hour", 0, 1 << 52, table):
        counted = [s.quantity != "connected_time" and not s.quantity.startswith("gw_") for s in table.all]
        rows = [counted[i] for i in part.series.tolist()]
        total += int((part.n + part.flagged)[rows].sum())
    return total


def _kpis_settled(store: Store, city: City) -> None:
    """Wait until no KPI value has changed for two seconds."""
    since = time.time_ns() // 1_000_000 - 10 * MINUTE
    state, quiet = -1, time.monotonic()
    while time.monotonic() - quiet < 2.0:
        newest = max((v.updated for v in store.kpis_changed(city.id, since)), default=0)
        if newest != state:
            state, quiet = newest, time.monotonic()
        time.sleep(0.2)
