"""Checks between readings of one device and time: a frame with one wrong value is wrong as a whole. Pure.

Particle counters measure all sizes at once, so the PM2.5 beside a saturated or missing PM10 is flagged too. Reference
stations measure each size with an instrument of its own and are not checked this way. The energy of a charging session
is compared with the power of its charger.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from gateway.decoding.decoded import Frames
from registry.city import City
from telemetry.quantities import QUANTITIES
from telemetry.readings import Readings
from telemetry.series import FloatArray, IntArray, SeriesTable

FRAME, IMPOSSIBLE = 4, 5  # flags, beside those of `batch`
PARTICLES: Frames = (frozenset({"pm1", "pm2_5", "pm4", "pm10"}),)
_ABOVE, _MARGIN = 1.5, 5.0  # PM2.5 is part of PM10; a larger difference is another channel, not noise
CHARGER_KW = 350.0  # of a charger whose power is not configured
_SLACK_KW, _SLACK_KWH = 1.1, 1.0
_HOUR_S, _SHORT_S = 3600.0, 300.0

Name = tuple[str, str]  # city and device


class Registered(NamedTuple):
    """From the city files: plausible ranges by (city, device, quantity), reference stations, power of chargers."""

    ranges: Mapping[tuple[str, str, str], tuple[float, float]]
    references: frozenset[Name]
    kw: Mapping[Name, float]

    @staticmethod
    def of(cities: Iterable[City]) -> Registered:
        """From city files."""
        devices = [(c.id, d) for c in cities for d in c.device]
        return Registered(
            {(c, d.id, q): span for c, d in devices for q, span in d.plausible.items()},
            frozenset((c, d.id) for c, d in devices if d.kind == "air_reference"),
            {(c, d.id): d.max_kw * d.connectors for c, d in devices if d.max_kw is not None},
        )

    def range_of(self, city: str, device: str, quantity: str) -> tuple[float, float]:
        """Lowest and highest plausible value."""
        entry = QUANTITIES[quantity]
        return self.ranges.get((city, device, quantity), (entry.low, entry.high))


NOTHING = Registered({}, frozenset(), {})


def check_frames(
    readings: Readings,
    table: SeriesTable,
    registered: Registered,
    declared: Mapping[Name, Frames] = MappingProxyType({}),
) -> None:
    """Flag, in place, readings that others of the same device and time contradict.

    `declared`: the frames of devices whose family declares any.
    """
    names = {s: table[s] for s in np.unique(readings.series).tolist()}
    frame_of: dict[int, int] = {}  # series -> number of the frame of its device
    numbers: dict[tuple[Name, frozenset[str]], int] = {}
    for series, (city, device, quantity) in names.items():
        device_frames = declared.get((city, device), () if (city, device) in registered.references else PARTICLES)
        frame = next((f for f in device_frames if quantity in f), None)
        if frame is not None:
            frame_of[series] = numbers.setdefault(((city, device), frame), len(numbers))
    if len(frame_of) > len(numbers):  # some frame has more than one quantity
        _frames(readings, table, frame_of)
    sessions = {s for s, name in names.items() if name.quantity == "session_energy"}
    if sessions:
        _sessions(readings, table, sessions, registered)


def _frames(readings: Readings, table: SeriesTable, frame_of: Mapping[int, int]) -> None:
    """Flag all of a frame of which one reading is flagged, and particles that contradict each other."""
    rows = np.flatnonzero(np.isin(readings.series, list(frame_of)))
    of = np.array([frame_of[s] for s in readings.series[rows].tolist()], dtype=np.int64)
    frame = _groups(of, readings.t[rows], readings.key[rows])
    count = int(frame.max()) + 1
    bad = np.zeros(count, dtype=np.bool_)
    np.logical_or.at(bad, frame, readings.flag[rows] != 0)
    small, large = (_values(readings, table, rows, frame, count, q) for q in ("pm2_5", "pm10"))
    with np.errstate(invalid="ignore"):
        impossible = (small > _ABOVE * large + _MARGIN) | ((small == -1.0) & (large == -1.0))
    _flag(readings, rows[bad[frame]], FRAME)
    _flag(readings, rows[impossible[frame]], IMPOSSIBLE)


def _values(
    readings: Readings, table: SeriesTable, rows: IntArray, frame: IntArray, count: int, quantity: str
) -> FloatArray:
    """The value of a quantity in each frame, NaN where it has none."""
    out = np.full(count, np.nan)
    wanted = {s for s in np.unique(readings.series[rows]).tolist() if table[s].quantity == quantity}
    mine = np.isin(readings.series[rows], list(wanted))
    out[frame[mine]] = readings.value[rows[mine]]
    return out


def _groups(*columns: IntArray) -> IntArray:
    """The number of the group of each row; a group has the same values in all columns."""
    order = np.lexsort(columns[::-1])
    new = np.zeros(len(order), dtype=np.bool_)
    for column in columns:
        new[1:] |= column[order][1:] != column[order][:-1]
    out = np.empty(len(order), dtype=np.int64)
    out[order] = np.cumsum(new)
    return out


def _flag(readings: Readings, rows: IntArray, flag: int) -> None:
    free = rows[readings.flag[rows] == 0]
    readings.flag[free] = flag


def _sessions(readings: Readings, table: SeriesTable, series: set[int], registered: Registered) -> None:
    """Flag the energy of sessions that their charger cannot deliver in that time; those without an end are accepted."""
    connected: dict[tuple[str, str, int], float] = {}
    for i in np.flatnonzero(readings.key != 0).tolist():
        name = table[int(readings.series[i])]
        if name.quantity == "connected_time":
            at = (name.city, name.device, int(readings.key[i]))
            connected[at] = connected.get(at, 0.0) + float(readings.value[i])
    for i in np.flatnonzero(np.isin(readings.series, list(series))).tolist():
        city, device, _ = table[int(readings.series[i])]
        seconds = connected.get((city, device, int(readings.key[i])))
        kw = registered.kw.get((city, device), CHARGER_KW)
        # Of a shorter one the clock is inaccurate, not the energy.
        if (
            seconds is not None
            and seconds >= _SHORT_S
            and readings.value[i] > kw * _SLACK_KW * seconds / _HOUR_S + _SLACK_KWH
        ):
            _flag(readings, np.array([i]), IMPOSSIBLE)


def shortened(readings: Readings, table: SeriesTable) -> list[tuple[int, int, int]]:
    """Ends of sessions, after which a first message with a later end may have left time: (series, key, ms UTC)."""
    last: dict[tuple[int, int], tuple[int, float]] = {}
    for i in np.flatnonzero(readings.key != 0).tolist():
        if table[int(readings.series[i])].quantity == "connected_time":
            at = (int(readings.series[i]), int(readings.key[i]))
            last[at] = max(last.get(at, (0, 0.0)), (int(readings.t[i]), float(readings.value[i])))
    return [(s, key, t) for (s, key), (t, _) in last.items()]


def without_time(series: IntArray, t: IntArray, key: IntArray, arrival: int) -> Readings:
    """Readings of 0 s at these times, which replace connected time."""
    zero: FloatArray = np.zeros(len(t))
    return Readings.of(series, t, zero, key, np.full(len(t), arrival, dtype=np.int64))
