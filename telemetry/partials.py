"""Window partials: the mergeable state of one series over one window, as columns. `fold` makes and `regroup` merges
them.

Laws (tests/telemetry/): fold(a + b) == merge(fold(a), fold(b)) for time-ordered halves; merge is associative;
no rows is its identity. Sums are added in time order within a group, so the same readings give the same bits in
whatever order they arrived.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from telemetry.readings import Readings
from telemetry.series import BoolArray, FloatArray, IntArray
from telemetry.windows import window_start


@dataclass(frozen=True, slots=True)
class Partials:
    """One row a (series, window start). What does not exist is NaN (times: 0 where n is 0), never a value.

    `n`, `sum`, `min`, `max`, `sumsq`: of the accepted values. `first_t` ... `last`: first and last accepted value.
    `increase`: for counters, the sum of the steps. `flagged`: readings that quality control flagged. `lag`: largest
    arrival minus reading time, ms.
    """

    series: IntArray
    start: IntArray
    n: IntArray
    sum: FloatArray
    min: FloatArray
    max: FloatArray
    sumsq: FloatArray
    first_t: IntArray
    first: FloatArray
    last_t: IntArray
    last: FloatArray
    increase: FloatArray
    flagged: IntArray
    lag: IntArray

    def __len__(self) -> int:
        return len(self.start)

    @property
    def mean(self) -> FloatArray:
        """Mean of the accepted values; NaN where there is none."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(self.n > 0, self.sum / self.n, np.nan)

    def take(self, rows: IntArray | slice | np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Partials:
        """A copy of the given rows, in the given order."""
        return Partials(*(getattr(self, f.name)[rows] for f in fields(self)))

    def where(self, wanted: BoolArray) -> Partials:
        """The rows that are wanted; no copy where all are."""
        return self if wanted.all() else self.take(wanted)

    @staticmethod
    def empty() -> Partials:
        """No rows: the identity of merge."""
        columns: list[Any] = [np.empty(0, dtype=column_type(f.name)) for f in fields(Partials)]
        return Partials(*columns)

    @staticmethod
    def concat(parts: Sequence[Partials]) -> Partials:
        """All rows of all parts, in order, nothing merged."""
        if not parts:
            return Partials.empty()
        if len(parts) == 1:
            return parts[0]
        return Partials(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Partials)))

    def latest(self) -> Partials:
        """Sorted by (series, start), of rows with one identity only the last one in row order (an upsert)."""
        order = None if _is_sorted(self) else _order(self.series, self.start)
        ordered = self if order is None else self.take(order)
        series, start = ordered.series, ordered.start
        keep = np.ones(len(ordered), dtype=np.bool_)
        keep[:-1] = (series[1:] != series[:-1]) | (start[1:] != start[:-1])
        return ordered.where(keep)


def _order(series: IntArray, start: IntArray) -> IntArray:
    """The rows in the order of (series, start), those with one identity in row order."""
    low, most = int(start.min()), int(series.max())
    span = int(start.max()) - low + 1
    if (most + 1) * span < 1 << 62 and series.min() >= 0:
        # Sorted runs behind each other, as they are most often: this sort merges them.
        return np.argsort(series * span + (start - low), kind="stable")
    return np.lexsort((np.arange(len(start)), start, series))


# The types stand once, in Partials: whole numbers always exist, numbers may be NaN.
INT_FIELDS = frozenset(f.name for f in fields(Partials) if f.type == "IntArray")


def is_whole(name: str) -> bool:
    """Whether a field of Partials holds whole numbers."""
    return name in INT_FIELDS


def column_type(name: str) -> type[np.int64] | type[np.float64]:
    """The one fixed type of a field of Partials."""
    return np.int64 if is_whole(name) else np.float64


def step(before: FloatArray, after: FloatArray, modulus: FloatArray) -> FloatArray:
    """The increase of a counter from `before` to `after`, in its unit.

    A smaller value is a rollover where the register has a modulus and was in its last tenth. Else, where it fell by a
    tenth or more, a reset: the meter counted `after` since its restart. A smaller fall is the register's own
    rounding and adds nothing: treated as a reset it would add the whole register to the energy.
    """
    finite = np.isfinite(modulus)
    size = np.where(finite, modulus, 0.0)
    rolled = finite & (before > 0.9 * size) & (after < 0.1 * size)
    forward = after - before
    fallen = np.where(rolled, forward + size, np.where(after > 0.9 * before, 0.0, after))
    return np.where(forward >= 0, forward, fallen)


def fold(readings: Readings, width: int, modulus: FloatArray) -> Partials:
    """Fold readings into partials of windows of `width` ms, sorted by (series, start).

    `modulus`: per reading, see `SeriesTable.modulus`. Rows with a flag are only counted.
    """
    if not len(readings):
        return Partials.empty()
    order = np.lexsort((readings.key, readings.t, readings.series))
    r, modulus = readings.take(order), modulus[order]
    start = window_start(r.t, width)
    with np.errstate(over="ignore"):  # of flagged values, which are only counted
        square = r.value * r.value
    single = Partials(
        r.series, start, (r.flag == 0).astype(np.int64), r.value, r.value, r.value, square,
        r.t, r.value, r.t, r.value, np.where(np.isnan(modulus), np.nan, 0.0),
        (r.flag != 0).astype(np.int64), r.arrival - r.t,
    )  # fmt: skip
    return _merge_sorted(single, start, modulus)


def regroup(partials: Partials, start: IntArray, modulus: FloatArray) -> Partials:
    """Merge rows that share (series, new start); the rows of one group must be different windows.

    `start`: the new window start of each row. Counters join: the step from one window's last value to the next
    one's first is counted.
    """
    if not len(partials):
        return partials
    if _is_sorted(partials):  # as stores return them; sorting and copying would cost as much as merging
        return _merge_sorted(partials, start, modulus)
    order = np.lexsort((partials.start, partials.series))
    return _merge_sorted(partials.take(order), start[order], modulus[order])


def _is_sorted(partials: Partials) -> bool:
    """Whether the rows are in the order of (series, start)."""
    series, start = partials.series, partials.start
    same, more = series[1:] == series[:-1], series[1:] > series[:-1]
    return bool((more | (same & (start[1:] >= start[:-1]))).all())


class _Groups:
    """Groups of consecutive rows and their totals; rows without an accepted value add nothing."""

    def __init__(self, is_start: BoolArray, has_value: BoolArray) -> None:
        self.starts = np.flatnonzero(is_start)
        if has_value.all():  # the usual case; needs no copies
            self.rows: IntArray | slice = slice(None)
            self.has = np.ones(len(self.starts), dtype=np.bool_)
            self.first, self.last = self.starts, np.append(self.starts[1:], len(is_start)) - 1
        else:
            self.rows = np.flatnonzero(has_value)
            group = (np.cumsum(is_start) - 1)[self.rows]
            self.has = np.zeros(len(self.starts), dtype=np.bool_)
            self.has[group] = True
            edge = np.flatnonzero(group[1:] != group[:-1])
            ends = min(len(group), 1)
            self.first = np.append(np.zeros(ends, dtype=np.int64), edge + 1)
            self.last = np.append(edge, np.full(ends, len(group) - 1))

    def reduce(self, ufunc: np.ufunc, values: FloatArray, empty: float) -> FloatArray:
        """`ufunc` over each group; `empty` where it has no value."""
        out = np.full(len(self.starts), empty)
        if len(self.first):
            out[self.has] = ufunc.reduceat(values[self.rows], self.first)
        return out

    def pick(self, at: IntArray, values: FloatArray) -> FloatArray:
        """The value at one row of each group, NaN where it has none."""
        out = np.full(len(self.starts), np.nan)
        out[self.has] = values[self.rows][at]
        return out

    def pick_time(self, at: IntArray, values: IntArray) -> IntArray:
        """The time at one row of each group, 0 where it has none."""
        out = np.zeros(len(self.starts), dtype=np.int64)
        out[self.has] = values[self.rows][at]
        return out


def _merge_sorted(p: Partials, start: IntArray, modulus: FloatArray) -> Partials:
    """Merge rows in time order within (series, start); the one place where partials are added up."""
    is_start = np.ones(len(p), dtype=np.bool_)
    is_start[1:] = (p.series[1:] != p.series[:-1]) | (start[1:] != start[:-1])
    g = _Groups(is_start, p.n > 0)
    starts = g.starts
    return Partials(
        p.series[starts], start[starts], np.add.reduceat(p.n, starts), g.reduce(np.add, p.sum, 0.0),
        g.reduce(np.minimum, p.min, np.nan), g.reduce(np.maximum, p.max, np.nan), g.reduce(np.add, p.sumsq, 0.0),
        g.pick_time(g.first, p.first_t), g.pick(g.first, p.first),
        g.pick_time(g.last, p.last_t), g.pick(g.last, p.last), _increase(p, g, modulus),
        np.add.reduceat(p.flagged, starts), np.maximum.reduceat(p.lag, starts),
    )  # fmt: skip


def _increase(p: Partials, g: _Groups, modulus: FloatArray) -> FloatArray:
    """Counters: steps inside the rows plus the steps between neighbouring rows. NaN for other series."""
    not_counter = np.isnan(modulus[g.starts])
    if not_counter.all():
        return np.full(len(not_counter), np.nan)
    steps = np.nan_to_num(p.increase)
    if len(g.first):
        last, first = p.last[g.rows][:-1], p.first[g.rows][1:]
        between = np.nan_to_num(step(last, first, modulus[g.rows][1:]))
        between[g.first[1:] - 1] = 0.0  # between two groups
        steps[np.arange(len(p))[g.rows][1:]] += between
    return np.where(not_counter, np.nan, g.reduce(np.add, steps, 0.0))


def merge(a: Partials, b: Partials, modulus: FloatArray) -> Partials:
    """Merge partials of the same windows, `a` before `b` in time. `modulus`: of the rows of a then b."""
    both = Partials.concat([a, b])
    order = np.lexsort((np.arange(len(both)), both.start, both.series))
    return _merge_sorted(both.take(order), both.start[order], modulus[order]) if len(both) else both
