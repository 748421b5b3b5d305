"""The recorded sessions, meters and stations as plain Python values and as columns; read once a process."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from functools import cache
from typing import NamedTuple

import numpy as np

from planning.charging.sessions import Sessions
from planning.grid import Grid
from telemetry.series import FloatArray
from tests.replay.recorded import METERS, STATIONS, TRONDHEIM, rows

HALF_HOUR = 30 * 60_000


class Row(NamedTuple):
    start: int
    end: int | None
    kwh: float
    user: str


@cache  # all meters and stations have the same times
def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


@cache
def session_rows() -> tuple[Row, ...]:
    body = rows(TRONDHEIM)[1:]
    return tuple(Row(ms(a), ms(b) if b else None, float(kwh), user) for a, b, _, kwh, user in body)


@cache
def sessions() -> Sessions:
    r = session_rows()
    return Sessions.of([s.start for s in r], [s.end for s in r], [s.kwh for s in r], [s.user for s in r])


def grid(first: str, last: str, minutes: int = 15) -> Grid:
    """From midnight UTC of a date to midnight UTC of another."""
    return Grid.over(ms(f"{first}T00:00:00Z"), ms(f"{last}T00:00:00Z"), minutes * 60_000)


def regulars(over: Grid, least: float = 100.0) -> Sessions:
    inside = sessions().within(over)
    return inside.of_users(inside.regulars(least))


@cache
def meters() -> tuple[tuple[str, ...], FloatArray, Grid]:
    """Names, kW of each half-hour of 2013, NaN where missing."""
    over = grid("2013-01-01", "2014-01-01", 30)
    power = defaultdict[str, FloatArray](lambda: np.full(over.slots, np.nan))
    for time, device, _, value, _ in rows(METERS)[1:]:
        power[device][(ms(time) - over.start) // HALF_HOUR] = float(value) * 2
    names = tuple(sorted(power))
    return names, np.array([power[name] for name in names]), over


@cache
def station_hours(quantity: str) -> tuple[dict[str, FloatArray], FloatArray]:
    """Hourly values of each station in 2018, and the start of each hour (ms, as float: exact)."""
    over = grid("2018-01-01", "2019-01-01", 60)
    found = defaultdict[str, FloatArray](lambda: np.full(over.slots, np.nan))
    for time, device, name, value, _ in rows(STATIONS)[1:]:
        if name == quantity:
            found[device][(ms(time) - over.start) // 3_600_000] = float(value)
    return found, over.times().astype(np.float64)
