"""Partials in few bytes: the same values bit for bit, each column in the narrowest form that holds them. Pure.

Whole numbers take one to eight bytes, times are counted from their window. A column of numbers that is mostly another
one (of a register the smallest value is the first, of a window with one reading all are the same) is stored as the rows
in which it is not.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from telemetry.partials import Partials
from telemetry.series import BoolArray, FloatArray, IntArray

_WHOLE = (np.uint8, np.uint16, np.int32, np.uint32)
_LIKE = {"min": "first", "max": "last", "sum": "last", "first": "last"}  # what each column often equals
_FEW = 3  # of so many rows at most one differs; a row that does takes 12 bytes instead of 8

Ints = np.ndarray[tuple[int], np.dtype[Any]]


class _Differing(NamedTuple):
    """The rows in which a column differs from another, and its values there."""

    rows: Ints
    values: FloatArray


class Narrow:
    """Partials sorted by (series, start)."""

    def __init__(self, partials: Partials) -> None:
        p, has = partials, partials.n > 0
        self._origin = int(p.start.min()) if len(p) else 0
        self._series, self._start = _whole(p.series), _whole(p.start - self._origin)
        self._top = int(p.series.max(initial=-1))
        self._n, self._flagged, self._lag = _whole(p.n), _whole(p.flagged), _whole(p.lag)
        # A window without a value has times of 0: these are stored as they are.
        self._first_t = _whole(np.where(has, p.first_t - p.start, p.first_t))
        self._last_t = _whole(np.where(has, p.last_t - p.start, p.last_t))
        self._last, self._sumsq, self._increase = p.last.copy(), p.sumsq.copy(), p.increase.copy()
        self._like = {name: _differing(getattr(p, name), getattr(p, of)) for name, of in _LIKE.items()}

    def __len__(self) -> int:
        return len(self._series)

    @property
    def newest(self) -> int:
        """The latest start."""
        return self._origin + int(self._start.max(initial=0))

    @property
    def bytes(self) -> int:
        """Bytes of all columns."""
        plain = (v.nbytes for v in vars(self).values() if isinstance(v, np.ndarray))
        like = (v.nbytes if isinstance(v, np.ndarray) else v.rows.nbytes + v.values.nbytes for v in self._like.values())
        return sum(plain) + sum(like)

    def rows(self, start: int, end: int, wanted: BoolArray | None) -> IntArray:
        """The rows with start in [start, end). `wanted`: by number of the series; those beyond its end are not."""
        low, high = start - self._origin, end - self._origin
        if wanted is None:
            return np.flatnonzero((self._start >= low) & (self._start < high))
        last = len(wanted) - 1
        mine = wanted[self._series if self._top <= last else np.minimum(self._series, last)]
        return np.flatnonzero(mine & (self._start >= low) & (self._start < high))

    def rows_of_few(self, start: int, end: int, series: IntArray) -> IntArray:
        """The same of a few series, different and ascending, which are looked up one by one."""
        known = series[series <= self._top].astype(self._series.dtype)  # of another type the column would be copied
        bounds = zip(np.searchsorted(self._series, known), np.searchsorted(self._series, known, "right"), strict=True)
        mine: IntArray = np.concatenate([np.empty(0, dtype=np.int64), *(np.arange(a, b) for a, b in bounds)])
        after = self._start[mine]
        found: IntArray = mine[(after >= start - self._origin) & (after < end - self._origin)]
        return found

    def take(self, rows: IntArray) -> Partials:
        """The given rows."""
        # Widened first: NumPy 1 makes an unsigned column and a large number uint64, with a signed one float.
        start, n = self._start[rows].astype(np.int64) + self._origin, self._n[rows].astype(np.int64)
        base = np.where(n > 0, start, 0)
        last = self._last[rows]
        first = self._other("first", rows, last)
        return Partials(
            self._series[rows].astype(np.int64), start, n, self._other("sum", rows, last),
            self._other("min", rows, first), self._other("max", rows, last), self._sumsq[rows],
            base + self._first_t[rows], first, base + self._last_t[rows], last, self._increase[rows],
            self._flagged[rows].astype(np.int64), self._lag[rows].astype(np.int64),
        )  # fmt: skip

    def all(self) -> Partials:
        """All rows."""
        return self.take(np.arange(len(self)))

    def _other(self, name: str, rows: IntArray, like: FloatArray) -> FloatArray:
        """The rows of a column that is mostly `like`."""
        known = self._like[name]
        if not isinstance(known, _Differing):
            return known[rows]
        if not len(known.rows):
            return like
        at = np.minimum(np.searchsorted(known.rows, rows), len(known.rows) - 1)
        return np.where(known.rows[at] == rows, known.values[at], like)


def _whole(values: IntArray) -> Ints:
    """The same numbers in the narrowest type that holds them all."""
    low, high = int(values.min(initial=0)), int(values.max(initial=0))
    for kind in _WHOLE:
        if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max:
            return values.astype(kind)
    return values


def _differing(column: FloatArray, like: FloatArray) -> FloatArray | _Differing:
    """The rows in which a column is not bit for bit the other one; the whole column where these are many."""
    rows = np.flatnonzero(column.view(np.int64) != like.view(np.int64))
    return column.copy() if len(rows) * _FEW > len(column) else _Differing(_whole(rows), column[rows])
