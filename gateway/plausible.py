"""Checks between readings of one device and time: a frame with one wrong value is wrong as a whole. Pure.

Particle counters measure all sizes at once, so the PM2.5 beside a saturated or missing PM10 is flagged too. Reference
stations measure each size with an instrument of its own and are not checked this way. The energy of a charging session
is compared with the power of its charger.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gateway.decoding.decoded import Frames
from telemetry.quantities import QUANTITIES
from telemetry.readings import Readings
from telemetry.series import BoolArray, FloatArray, IntArray, Series, SeriesTable

if TYPE_CHECKING:
    from registry.city import City

FRAME, IMPOSSIBLE = 4, 5  # flags, beside those of `batch`
PARTICLES: Frames = (frozenset({"pm1", "pm2_5", "pm4", "pm10"}),)
_ABOVE, _MARGIN = 1.5, 5.0  # PM2.5 is part of PM10; a larger difference is another channel, not noise
CHARGER_KW = 350.0  # of a charger whose power is not configured
_SLACK_KW, _SLACK_KWH = 1.1, 1.0
_HOUR_S, _SHORT_S = 3600.0, 300.0
_PM2_5, _PM10, _SESSION = 1, 2, 3
_ROLES = {"pm2_5": _PM2_5, "pm10": _PM10, "session_energy": _SESSION}

Name = tuple[str, str]  # city and device


class Listed:
    """Whether the city files list a device (city, id). Hashes: the names of 100,000 take 15 MB."""

    def __init__(self, devices: Iterable[Name]) -> None:
        self._hashes = np.unique(np.fromiter(map(hash, devices), dtype=np.int64))

    def __contains__(self, device: object) -> bool:
        at = int(np.searchsorted(self._hashes, hash(device)))
        return at < len(self._hashes) and int(self._hashes[at]) == hash(device)


class Registered(NamedTuple):
    """From the city files: plausible ranges by (city, device, quantity), reference stations, power of chargers.

    `by_mass`: gases that devices measure by mass, as far as their entries state it.
    """

    ranges: Mapping[tuple[str, str, str], tuple[float, float]]
    references: frozenset[Name]
    kw: Mapping[Name, float]
    by_mass: frozenset[tuple[str, str, str]] = frozenset()
    listed: Container[Name] = ()

    @staticmethod
    def of(cities: Iterable[City]) -> Registered:
        """From city files."""
        devices = [(c.id, d) for c in cities for d in c.device]
        return Registered(
            {(c, d.id, q): span for c, d in devices for q, span in d.plausible.items()},
            frozenset((c, d.id) for c, d in devices if d.kind == "air_reference"),
            {(c, d.id): d.max_kw * d.connectors for c, d in devices if d.max_kw is not None},
            frozenset(
                (c, d.id, q) for c, d in devices for q in d.quantities if QUANTITIES[q].ug_per_ppb and q not in d.in_ppb
            ),
            Listed((c, d.id) for c, d in devices),
        )

    def range_of(self, city: str, device: str, quantity: str) -> tuple[float, float]:
        """Lowest and highest plausible value."""
        entry = QUANTITIES[quantity]
        return self.ranges.get((city, device, quantity), (entry.low, entry.high))


NOTHING = Registered({}, frozenset(), {})


class FrameTable:
    """Which series of a device are measured together, as columns: one row a series of `table`."""

    def __init__(self, table: SeriesTable, registered: Registered) -> None:
        self._table, self._registered = table, registered
        self._declared: dict[Name, Frames] = {}  # of devices whose family declares any
        self._frame = np.empty(0, dtype=np.int64)  # the number of its frame, -1 where there are no others in it
        self._role = np.empty(0, dtype=np.int64)
        self._sessions: set[int] = set()  # the series of the energy of sessions

    def declare(self, city: str, device: str, frames: Frames) -> None:
        """The frames of a device, as its family declares them."""
        name = city, device
        if self._declared.get(name) != frames:
            for frame in self._frames_of(name):
                self._frame[self._ids(name, frame)] = -1
            self._declared[name] = frames
            self._number(name)

    def check(self, readings: Readings) -> None:
        """Flag, in place, readings that others of the same device and time contradict."""
        self._add_series()
        frame = self._frame[readings.series]
        (rows,) = (frame >= 0).nonzero()
        if len(rows):
            _flag_frames(readings, rows, frame[rows], self._role[readings.series[rows]])
        if self._sessions and (self._role[readings.series] == _SESSION).any():
            _sessions(readings, self._table, self._sessions, self._registered)

    def _add_series(self) -> None:
        fresh = self._table.all[len(self._frame) :]
        if fresh:
            roles = [_ROLES.get(series.quantity, 0) for series in fresh]
            self._sessions.update(n for n, role in enumerate(roles, len(self._role)) if role == _SESSION)
            self._role = np.concatenate([self._role, np.array(roles, dtype=np.int64)])
            self._frame = np.concatenate([self._frame, np.full(len(fresh), -1)])
            for device in dict.fromkeys((series.city, series.device) for series in fresh):
                self._number(device)

    def _frames_of(self, device: Name) -> Frames:
        default = () if device in self._registered.references else PARTICLES
        return self._declared.get(device, default)

    def _ids(self, device: Name, quantities: Iterable[str]) -> list[int]:
        found = (self._table.find(Series(*device, quantity)) for quantity in quantities)
        return sorted(i for i in found if i is not None and i < len(self._frame))

    def _number(self, device: Name) -> None:
        """Give the series of each frame of a device the id of the first one as their number."""
        seen: set[str] = set()
        for frame in self._frames_of(device):
            ids = self._ids(device, frame - seen)
            if len(ids) > 1:
                self._frame[ids] = ids[0]
            seen |= frame


def _flag_frames(readings: Readings, rows: IntArray, of: IntArray, role: IntArray) -> None:
    """Flag all of a frame of which one reading is flagged, and particles that contradict each other.

    `rows`: those of frames, `of`: their frames' numbers, `role`: what their quantities are.
    """
    flagged, small, large = readings.flag[rows] != 0, role == _PM2_5, role == _PM10
    some = bool(flagged.any())
    if not some and not (small.any() and large.any()):
        return
    frame = _groups(of, readings.t[rows], readings.key[rows])
    count, value = int(frame.max()) + 1, readings.value[rows]
    impossible = _impossible(_values(value, frame, small, count), _values(value, frame, large, count))
    if some:
        bad = np.zeros(count, dtype=np.bool_)
        bad[frame[flagged]] = True
        _flag(readings, rows[bad[frame]], FRAME)
    if impossible.any():
        _flag(readings, rows[impossible[frame]], IMPOSSIBLE)


def _impossible(pm2_5: FloatArray, pm10: FloatArray) -> BoolArray:
    """Where PM2.5 exceeds the PM10 it is part of, or both are -1, as counters send without a value. NaN: missing."""
    with np.errstate(invalid="ignore"):
        impossible: BoolArray = (pm2_5 > _ABOVE * pm10 + _MARGIN) | ((pm2_5 == -1.0) & (pm10 == -1.0))
    return impossible


def _values(value: FloatArray, frame: IntArray, mine: BoolArray, count: int) -> FloatArray:
    """The value of one quantity, whose rows are `mine`, in each frame; NaN where it has none."""
    out = np.full(count, np.nan)
    out[frame[mine]] = value[mine]
    return out


def _groups(*columns: IntArray) -> IntArray:
    """The number of the group of each row; a group has the same values in all columns."""
    order = np.lexsort(columns[::-1])
    new = np.zeros(len(order), dtype=np.bool_)
    for column in columns:
        ordered = column[order]
        new[1:] |= ordered[1:] != ordered[:-1]
    out = np.empty(len(order), dtype=np.int64)
    out[order] = new.cumsum()
    return out


def _flag(readings: Readings, rows: IntArray, flag: int) -> None:
    free = rows[readings.flag[rows] == 0]
    readings.flag[free] = flag


def _sessions(readings: Readings, table: SeriesTable, series: set[int], registered: Registered) -> None:
    """Flag the energy of sessions that their charger cannot deliver in that time; those without an end are accepted."""
    connected: dict[tuple[str, str, int], float] = {}
    rows = np.flatnonzero((readings.key != 0) & table.has("connected_time", readings.series))
    for number, key, value in zip(
        *(c[rows].tolist() for c in (readings.series, readings.key, readings.value)), strict=True
    ):
        name = table[number]
        at = (name.city, name.device, key)
        connected[at] = connected.get(at, 0.0) + value
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
    charging = table.has("connected_time", readings.series)
    if not np.count_nonzero(charging):
        return []
    rows = np.flatnonzero(charging & (readings.key != 0))
    columns = (readings.series, readings.key, readings.t, readings.value)
    for series, key, t, value in zip(*(column[rows].tolist() for column in columns), strict=True):
        at = (series, key)
        last[at] = max(last.get(at, (0, 0.0)), (t, value))
    return [(s, key, t) for (s, key), (t, _) in last.items()]


def without_time(series: IntArray, t: IntArray, key: IntArray, arrival: int) -> Readings:
    """Readings of 0 s at these times, which replace connected time."""
    zero: FloatArray = np.zeros(len(t))
    return Readings.of(series, t, zero, key, np.full(len(t), arrival, dtype=np.int64))
