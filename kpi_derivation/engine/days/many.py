"""What a day of a series has from the series' other days, for many series at once: how long its readings stand, and
what a register counted between days. Pure.

Ten thousand meters that report every ten seconds are ten thousand dirty days a second. `settle_intervals` takes any
series; `join_plain` takes registers that only grow on days without a gap, and names the others (see `along`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from kpi_derivation.engine.days.grid import DayGrid
from kpi_derivation.engine.row_days import RowDays
from kpi_derivation.rules.metering.register_days import SLOW, DayPoints
from kpi_derivation.rules.metering.registers import POSSIBLE
from telemetry.series import BoolArray, FloatArray, IntArray
from telemetry.windows import HOUR

_CELLS = 1 << 20  # of a column that are in work at once


def settle_intervals(grid: DayGrid, rows: IntArray, fixed: FloatArray) -> RowDays:
    """A day's interval: the registry's, else the smaller of the day's and the device's median step.

    `fixed`: of each row, seconds, NaN where the registry gives none. Returns the (row, day) whose interval changed.
    """
    changed = RowDays()
    for part in _parts(len(rows), grid.shape[1]):
        some, c = rows[part], grid.columns
        steps = c["step"][some]
        known = (~np.isnan(steps)).sum(axis=1)
        middle = np.sort(steps, axis=1)[np.arange(len(some)), np.maximum(known - 1, 0) // 2]  # NaN is sorted last
        used = np.where(np.isnan(fixed[part])[:, None], np.fmin(steps, middle[:, None]), fixed[part][:, None] * 1000.0)
        used = np.where(c["n"][some] > 0, used, np.nan)
        before = c["interval"][some]
        changed |= _pairs(~((used == before) | (np.isnan(used) & np.isnan(before))), some, grid.origin)
        c["interval"][some] = used
    return changed


def join_plain(
    main: DayGrid, own: DayGrid, places: IntArray, rows: IntArray, limit: FloatArray,
    midnights: Callable[[IntArray], IntArray],
) -> tuple[RowDays, BoolArray]:  # fmt: skip
    """As `along.join_register` of each row that is plain: no declared change is in these.

    Returns the (row, day) whose energy or changed meter differ, and which rows are plain. The others are as they were.
    """
    changed, plain = RowDays(), np.zeros(len(rows), dtype=np.bool_)
    for part in _parts(len(rows), main.shape[1]):
        found, plain[part] = _join_some(main, own, places[part], rows[part], limit[part], midnights)
        changed |= found
    return changed, plain


def _join_some(
    main: DayGrid, own: DayGrid, places: IntArray, rows: IntArray, limit: FloatArray,
    midnights: Callable[[IntArray], IntArray],
) -> tuple[RowDays, BoolArray]:  # fmt: skip
    there = (main.columns["n"][rows] > 0) & (places >= 0)[:, None]
    days = np.flatnonzero(there.any(axis=0))
    if not len(days):
        return RowDays(), np.zeros(len(rows), dtype=np.bool_)
    span = slice(int(days[0]), int(days[-1]) + 1)
    in_own = slice(span.start + main.origin - own.origin, span.stop + main.origin - own.origin)
    there = there[:, span]
    points = DayPoints(*(own.columns[name][places, in_own] for name in DayPoints._fields))
    plain = _is_plain(there, points, main.columns["interval"][rows, span], limit)
    if not plain.any():
        return RowDays(), plain
    there, points = there[plain], DayPoints(*(column[plain] for column in points))
    bounds = midnights(np.arange(span.start, span.stop + 1) + main.origin)
    energy = _energy(there, points, bounds)
    return _put(main, "increase", rows[plain], span, energy, rows[plain]) | _put(
        own, "meter_changes", places[plain], in_own, np.where(there, points.changed, 0.0), rows[plain]
    ), plain


def _is_plain(there: BoolArray, points: DayPoints, interval: FloatArray, limit: FloatArray) -> BoolArray:
    """Which registers only grow, by what they can count, on days that follow each other, and are read often enough."""
    number = there.sum(axis=1)
    first, last = there.argmax(axis=1), there.shape[1] - 1 - there[:, ::-1].argmax(axis=1)
    fast = ~((interval > SLOW) | ~there).all(axis=1)
    rise = points.first[:, 1:] - points.last[:, :-1]
    hours = np.maximum((points.first_t[:, 1:] - points.last_t[:, :-1]) / HOUR, 1.0)
    odd = (rise < 0) | (rise > np.fmin(POSSIBLE, limit[:, None] * hours))
    odd |= points.first[:, 1:] > 2 * points.last[:, :-1] + 1.0
    odd &= there[:, 1:] & there[:, :-1]
    return np.asarray((number > 0) & (number == last - first + 1) & fast & ~odd.any(axis=1))


def _energy(there: BoolArray, points: DayPoints, bounds: IntArray) -> FloatArray:
    """Energy of each day, added in the order of `register_days.join`."""
    energy = np.where(there, points.inside, 0.0)
    last = there.shape[1] - 1 - there[:, ::-1].argmax(axis=1)
    of_each = np.arange(len(there)), last
    energy[of_each] += points.tail[of_each]
    both = there[:, 1:] & there[:, :-1]
    rise = points.first[:, 1:] - points.last[:, :-1]
    gap = points.first_t[:, 1:] - points.last_t[:, :-1]
    after = np.where(gap > 0, rise * (points.first_t[:, 1:] - bounds[1:-1]) / np.maximum(gap, 1.0), rise)
    energy[:, 1:] += np.where(both, after, 0.0)
    energy[:, :-1] += np.where(both, rise - after, 0.0)
    return energy


def _put(grid: DayGrid, name: str, places: IntArray, span: slice, values: FloatArray, rows: IntArray) -> RowDays:
    """Set a column of these places, 0 outside of the span; the (row, day) that differ."""
    new = np.zeros((len(places), grid.shape[1]))
    new[:, span] = values
    differs = new != grid.columns[name][places]
    grid.columns[name][places] = new
    return _pairs(differs, rows, grid.origin)


def _pairs(which: BoolArray, rows: IntArray, origin: int) -> RowDays:
    at, day = np.nonzero(which)
    return RowDays.of(rows[at], day + origin)


def _parts(rows: int, width: int) -> Iterator[slice]:
    """Slices of the rows, each with so many that a column of them has _CELLS values."""
    step = max(_CELLS // max(width, 1), 1)
    return (slice(at, at + step) for at in range(0, rows, step))
