"""Checks between readings of one device and time: a frame with one wrong value is wrong as a whole. Pure.

Particle counters measure all sizes at once, so the PM2.5 beside a saturated or missing PM10 is flagged too. Reference
stations measure each size with an instrument of its own and are not checked this way. The energy of a charging session
is compared with the power of its charger.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np

from registry.city import City
from telemetry.quantities import QUANTITIES
from telemetry.readings import Readings
from telemetry.series import FloatArray, IntArray, SeriesTable

FRAME, IMPOSSIBLE = 4, 5  # flags, beside those of `batch`
PARTICLES = ("pm1", "pm2_5", "pm10")
_SMALL, _LARGE = PARTICLES.index("pm2_5"), PARTICLES.index("pm10")
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


def check_frames(readings: Readings, table: SeriesTable, registered: Registered) -> None:
    """Flag, in place, readings that contradict others of the same device and time."""
    names = {s: table[s] for s in np.unique(readings.series).tolist()}
    quantity = {s: name.quantity for s, name in names.items()}
    particles = {
        s
        for s, q in quantity.items()
        if q in PARTICLES and (names[s].city, names[s].device) not in registered.references
    }
    if len({quantity[s] for s in particles}) > 1:
        _particles(readings, table, particles)
    sessions = {s for s, q in quantity.items() if q == "session_energy"}
    if sessions:
        _sessions(readings, table, sessions, registered)


def _particles(readings: Readings, table: SeriesTable, series: set[int]) -> None:
    rows = np.flatnonzero(np.isin(readings.series, list(series)))
    device = {name: i for i, name in enumerate(dict.fromkeys(_device(table, s) for s in sorted(series)))}
    number = {s: device[_device(table, s)] for s in series}
    kind = {s: PARTICLES.index(table[s].quantity) for s in series}
    of, size = (np.array([m[s] for s in readings.series[rows].tolist()], dtype=np.int64) for m in (number, kind))
    frame = _groups(of, readings.t[rows], readings.key[rows])
    value = np.full((int(frame.max()) + 1, len(PARTICLES)), np.nan)
    value[frame, size] = readings.value[rows]
    bad = np.zeros(len(value), dtype=np.bool_)
    np.logical_or.at(bad, frame, readings.flag[rows] != 0)
    small, large = value[:, _SMALL], value[:, _LARGE]
    with np.errstate(invalid="ignore"):
        impossible = (small > _ABOVE * large + _MARGIN) | ((small == -1.0) & (large == -1.0))
    _flag(readings, rows[bad[frame]], FRAME)
    _flag(readings, rows[impossible[frame]], IMPOSSIBLE)


def _device(table: SeriesTable, series: int) -> Name:
    return table[series].city, table[series].device


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
