"""History for a simulated city, through the same code as a replay: buffer, quality control, fold, store, KPIs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import numpy as np

from cityvitals.replay.columns import Converted
from cityvitals.replay.replay import Replay, finish
from gateway.batch import Batch
from gateway.decoding.decoded import Decoded
from gateway.decoding.sessions import add_session, session_key
from gateway.plausible import Registered
from registry.city import City, Device
from simulators.synthetic import columns, sessions
from telemetry.periods import local_date, midnight
from telemetry.readings import Readings
from telemetry.series import IntArray
from telemetry.windows import DAY, HOUR, MINUTE, window_start

_SLICE = 10 * DAY


def steps(city: City, since: int, until: int, live_ms: int) -> list[tuple[int, int, int]]:
    """(start, end, step) of history: hourly, but from yesterday's midnight on as often as live nodes read."""
    yesterday = midnight(local_date(until, city.zone) - timedelta(days=1), city.zone)
    spans = [(since, min(yesterday, until), HOUR), (max(yesterday, since), until, live_ms)]
    return [
        (a, min(a + _SLICE, end), step)
        for start, end, step in spans
        for a in range(window_start(start, step), end, _SLICE)
    ]


def write(replay: Replay, since: int, until: int, live_ms: int) -> Iterator[float]:
    """Write history in [since, until); yields the share done."""
    work = steps(replay.city, since, until, live_ms)
    for number, (start, end, step) in enumerate(work):
        t = np.arange(start, end, step, dtype=np.int64)
        t = t[(t >= since) & (t < until)]
        converted = Converted(_readings(replay, t, max(start, since), min(end, until)), [])
        replay.add_converted(converted, "history", until + MINUTE)
        for _ in replay.flush():
            pass
        yield 0.9 * (number + 1) / len(work)
    finish(replay, lambda *_: None)
    yield 1.0


def _readings(replay: Replay, t: IntArray, start: int, end: int) -> Readings:
    batch = Batch(replay.buffer.table, Registered.of([replay.city]))
    parts = [part for device in replay.city.device for part in _of_device(replay.city.id, device, batch, t)]
    for device in replay.city.device:
        if "session_energy" in device.quantities:
            for s in (s for s in sessions(device.id, start - DAY, end) if start <= s.end < end):
                rows = Decoded()
                add_session(rows, s.start, s.end, s.energy, None, session_key(f"{device.id}-{s.start}"))
                batch.add(replay.city.id, device.id, rows, s.end, 0)
    return Readings.concat([*parts, batch.readings()[0]])


def _of_device(city: str, device: Device, batch: Batch, t: IntArray) -> Iterator[Readings]:
    for c in columns(device, t):
        kind = batch.kind(city, device.id, c.quantity, None)
        yield batch.convert(np.full(len(t), kind), c.value, t)
