"""Up to when a city has readings of its registered devices, and which hop between device and KPI value is silent.

A gateway's own counts, unregistered devices and readings in the future are left out, because they do not show either.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from adapters.store import CityRecord, Heartbeat, Level
from api.queries import model_of
from api.shared_store import SharedStore
from registry.health import Limits, silent_program
from registry.silence import silent_after
from telemetry.partials import Partials
from telemetry.series import Series, SeriesTable
from telemetry.windows import DAY, HOUR, MINUTE, window_start

_WINDOWS = (5 * MINUTE, 30 * MINUTE, 3 * HOUR)  # how far back windows are looked at, before hours are
_HOURS = (30 * HOUR, 10 * DAY, 60 * DAY)


class Silence(NamedTuple):
    """The first part that is silent: "ingest", "gateway", "sensors"; "readings" where no program was ever heard.

    `since`: ms UTC.
    """

    stage: str
    since: int


def until(record: CityRecord, store: SharedStore, now: int) -> int | None:
    """Ms UTC of the end of the window of the newest accepted reading of a registered device; None for none."""
    city = model_of(record)
    table = SeriesTable([Series(city.id, d.id, q) for d in city.device for q in d.quantities])
    wanted = np.arange(len(table), dtype=np.int64)  # a read adds other series to the table
    for level, start, end in _spans(record, store, now) if len(wanted) else ():
        chunks = store.partials(record.id, level, start, end, table, wanted) if start < end else ()
        newest = _newest(chunks, now)
        if newest is not None:
            return min(window_start(newest, record.width) + record.width, now)
    return None


def _spans(record: CityRecord, store: SharedStore, now: int) -> Iterator[tuple[Level, int, int]]:
    """Levels and times in which the newest reading may be, the newest first."""
    end = now + 1
    for back in _WINDOWS:
        start = now - max(back, 2 * record.width)
        yield "window", start, end
        end = start
    span = store.span(record.id, "hour")
    if span is None:
        return
    end = min(now, span[1]) + 1
    for back in (*_HOURS, end - span[0]):
        yield "hour", max(end - back, span[0]), end
        end = max(end - back, span[0])


def _newest(chunks: Iterable[Partials], now: int) -> int | None:
    """The newest reading up to `now`; None where there is none."""
    newest: int | None = None
    for chunk in chunks:
        mine = chunk.n > 0
        times = np.where(chunk.last_t <= now, chunk.last_t, chunk.first_t)[mine]  # an hour may hold both
        past = times[times <= now]
        newest = max(int(past.max()), newest or 0) if len(past) else newest
    return newest


def silence(
    record: CityRecord, until: int | None, beats: Iterable[Heartbeat], now: int, limits: Limits
) -> Silence | None:
    """What is silent between a city's devices and its values; None where nothing is silent or nothing was ever read."""
    heard = [(b.role, b.name, b.time) for b in beats]
    if found := silent_program(heard, now, limits):
        return Silence(*found)
    city = model_of(record)
    quick = min((silent_after(d, record.width) for d in city.device), default=DAY)
    if until is None or now - until <= quick:
        return None
    return Silence("sensors" if heard else "readings", until)
