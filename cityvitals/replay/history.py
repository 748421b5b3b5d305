"""History for a simulated city, through the same code as a replay: buffer, quality control, fold, store, KPIs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType
from typing import Any

import numpy as np

from cityvitals.replay.columns import Converted
from cityvitals.replay.replay import Replay, finish
from gateway.batch import Batch
from gateway.decoding.sessions import session_key
from gateway.plausible import Registered
from registry.city import City, Device
from simulators.faults import Fault, sessions_with, with_fault
from simulators.synthetic import Columns, Session, columns, sessions
from telemetry.periods import local_date, midnight
from telemetry.readings import Readings
from telemetry.series import IntArray
from telemetry.windows import DAY, HOUR, MINUTE, window_start

_SLICE = 10 * DAY
_QUARTER = 15 * MINUTE
_SESSION = (("session_energy", None), ("connected_time", "s"))


def steps(city: City, since: int, until: int, live_ms: int, goes_on: bool = False) -> list[tuple[int, int, int, int]]:
    """(start, end, step, step of electricity meters) of history: hourly, then quarters of an hour, from yesterday live.

    Quarters in the last nine days, of meters in the last 62: today's load is shown beside that of a week ago, and plans
    need the load curves of a whole month. A day has one step: readings of a day stand for the device's median step.
    `goes_on`: live readings of the first day came before; the rest of that day has their step.
    """
    today = local_date(until, city.zone)
    first = min(midnight(local_date(since, city.zone) + timedelta(days=1), city.zone), until) if goes_on else since
    rest = [(since, first, live_ms, live_ms)] if goes_on else []
    since = first
    metered, quarters, live = (midnight(today - timedelta(days=n), city.zone) for n in (62, 9, 1))
    spans = [
        *rest,
        (since, metered, HOUR, HOUR),
        (max(metered, since), quarters, HOUR, _QUARTER),
        (max(quarters, since), live, _QUARTER, _QUARTER),
        (max(live, since), until, live_ms, live_ms),
    ]
    return [
        (a, min(a + _SLICE, end), step, metering)
        for start, end, step, metering in spans
        for a in range(window_start(start, step), end, _SLICE)
    ]


def write(
    replay: Replay,
    since: int,
    until: int,
    live_ms: int,
    faults: Mapping[str, Fault] = MappingProxyType({}),
    unlisted: Sequence[tuple[Device, int]] = (),
    goes_on: bool = False,
) -> Iterator[float]:
    """Write history in [since, until); yields the share done. `unlisted`: devices of no city file, and since when.

    `goes_on`: after live readings.
    """
    work = steps(replay.city, since, until, live_ms, goes_on)
    batch = Batch(replay.buffer.table, Registered.of([replay.city]))
    for number, (start, end, *both) in enumerate(work):
        every = (np.arange(start, end, step, dtype=np.int64) for step in both)
        t, metering = (t[(t >= since) & (t < until)] for t in every)
        readings = _readings(replay.city, batch, (t, metering), max(start, since), min(end, until), faults, unlisted)
        converted = Converted(readings, [])
        replay.add_converted(converted, "history", until + MINUTE)
        for _ in replay.flush():
            pass
        yield 0.9 * (number + 1) / len(work)
    finish(replay, lambda *_: None)
    yield 1.0


def _readings(
    city: City,
    batch: Batch,
    times: tuple[IntArray, IntArray],
    start: int,
    end: int,
    faults: Mapping[str, Fault],
    unlisted: Sequence[tuple[Device, int]],
) -> Readings:
    t, metering = times
    of = {"electricity_meter": metering}
    made = [c for d in city.device for c in with_fault(columns(d, of.get(d.kind, t)), faults.get(d.id))]
    made += [c for d, since in unlisted for c in columns(d, t[t >= since])]
    parts = list(_of_quantities(city.id, batch, made))
    columns_of = []
    for device in (d for d in city.device if "session_energy" in d.quantities):
        found = sessions_with(sessions(device.id, start - DAY, end), faults.get(device.id))
        if ended := [s for s in found if start <= s.end < end]:
            kinds = [batch.kind(city.id, device.id, *column) for column in _SESSION]
            columns_of.append(_of_sessions(device.id, ended, *kinds))
    if not columns_of:
        return Readings.concat(parts)
    # All at once: the energy of a session is compared with its connected time.
    kind, value, t, key, arrival = (np.concatenate(column) for column in zip(*columns_of, strict=True))
    return Readings.concat([*parts, batch.convert(kind, value, t, key, arrival)])


def _of_sessions(device: str, ended: list[Session], energy: int, connected: int) -> tuple[Any, ...]:
    """Kind, value, time, key and arrival of each row of sessions, as `add_session` makes them: the energy, and the
    connected time in each UTC hour.
    """
    start, end = (np.array(column, dtype=np.int64) for column in ([s.start for s in ended], [s.end for s in ended]))
    counts = (end - 1) // HOUR - start // HOUR + 2  # rows: the energy, and each hour
    first = np.cumsum(counts) - counts
    of, place = np.arange(len(ended)).repeat(counts), np.arange(counts.sum())
    number = place - first[of]  # 0: the energy
    at = np.where(number < 2, start[of], (start // HOUR)[of] * HOUR + (number - 1) * HOUR)
    until = np.minimum(at // HOUR * HOUR + HOUR, end[of])
    value = np.where(number, (until - at) / 1000, np.array([s.energy for s in ended])[of])
    key = np.array([session_key(f"{device}-{s.start}") for s in ended], dtype=np.int64)
    return np.where(number, connected, energy), value, at, key[of], end[of]


def _of_quantities(city: str, batch: Batch, made: Sequence[Columns]) -> Iterator[Readings]:
    """The readings of each quantity of all devices at once; what a device measures together is not compared."""
    of: dict[str, list[tuple[int, Columns]]] = {}
    for c in made:
        of.setdefault(c.quantity, []).append((batch.kind(city, c.device, c.quantity, None), c))
    for found in of.values():
        kind = np.concatenate([np.full(len(c.t), kind) for kind, c in found])
        yield batch.convert(kind, np.concatenate([c.value for _, c in found]), np.concatenate([c.t for _, c in found]))
