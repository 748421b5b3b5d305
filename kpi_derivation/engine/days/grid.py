"""A grid of days: columns with a row for each series and a column for each civil day, so that a period is a slice.

Pure."""

from __future__ import annotations

import mmap
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from telemetry.series import BoolArray, FloatArray, IntArray

# What the sums over a period are taken of, in the order of `View.COLUMNS`; the interval comes after them.
SUMMED = ("n", "sum", "hours", "hour_sum", "covered", "increase", "flagged")
Rows = IntArray | slice
_MAPPED = 1 << 22  # bytes
_CELLS = 1 << 17  # days of rows that are added up at once
_EQUAL = 2  # days that have one sum whatever is beside them
_FILLED = ("n", "flagged", "increase", "covered")  # a slow register gives days without a reading a share of its steps


@dataclass(slots=True)
class DayGrid:
    """Columns of shape (series rows, days). `origin`: proleptic ordinal of the first day's date.

    `fills`: the columns, and what stands in each where there is no data.
    """

    fills: Mapping[str, float]
    origin: int = 0
    shape: tuple[int, int] = (0, 0)
    columns: dict[str, FloatArray] = field(default_factory=dict)

    def ensure(self, rows: int, first: int, last: int) -> None:
        """Make room for `rows` series and the days first..last (ordinals)."""
        if self.shape[1] == 0:
            self.origin = first
        before = max(0, self.origin - first)
        after = max(0, last + 1 - self.origin - self.shape[1])
        more = max(0, rows - self.shape[0])
        if not (before or after or more):
            return
        # Growing by a quarter more than asked keeps the copying linear.
        after += (self.shape[1] // 4) * (after > 0)
        more += (self.shape[0] // 4) * (more > 0)
        shape = (self.shape[0] + more, before + self.shape[1] + after)
        for name, fill in self.fills.items():
            grown = filled(shape, fill)
            if name in self.columns:
                grown[: self.shape[0], before : before + self.shape[1]] = self.columns[name]
            self.columns[name] = grown
        self.origin, self.shape = self.origin - before, shape

    def has_days(self, first: int, last: int) -> bool:
        """Whether any of the days first..last (ordinals) is in the grid."""
        return first < self.origin + self.shape[1] and last >= self.origin

    def put(self, rows: IntArray, days: IntArray, values: Mapping[str, FloatArray]) -> None:
        """Set columns at these (row, day); there must be room."""
        for name, column in values.items():
            self.columns[name][rows, days - self.origin] = column

    def summed(self, first: int, last: int) -> tuple[int, int]:
        """The days (ordinals, both included) that `sums` gives the same for: of a city in its first days those with
        data are the day, the month, the quarter and the year.
        """
        a, b = max(first - self.origin, 0), max(min(last + 1 - self.origin, self.shape[1]), 0)
        return (a + self.origin, b - 1 + self.origin) if a < b <= a + _EQUAL else (first, last)

    def sums(self, first: int, last: int, rows: IntArray | None = None) -> FloatArray:
        """Per series row the sums over the days first..last (ordinals, both included); shape (rows, SUMMED + 1).

        The last column is the longest interval used, 0 where none. `rows`: only of these.
        """
        a, b = max(first - self.origin, 0), max(min(last + 1 - self.origin, self.shape[1]), 0)
        out = np.zeros((self.shape[0] if rows is None else len(rows), len(SUMMED) + 1))
        if b <= a:
            return out
        # NumPy adds in pairs, by length: over all days of the span, so that the grid's size changes no bit. Of all rows
        # at once, a year of 100,000 meters would be 600 MB of zeros. Two days have one sum whatever is beside them:
        # of a city in its first days zeros would be most of the time.
        length, begins = (last + 1 - first, a + self.origin - first) if b - a > _EQUAL else (b - a, 0)
        step = max(_CELLS // length, 1)
        days = np.zeros((min(step, len(out)), length))
        for at in range(0, len(out), step):
            some = slice(at, min(at + step, len(out)))
            mine, span = some if rows is None else rows[some], days[: some.stop - at]
            for i, name in enumerate(SUMMED):
                span[:, begins : begins + b - a] = self.columns[name][mine, a:b]
                out[some, i] = span.sum(axis=1)
            out[some, -1] = np.nan_to_num(self.columns["interval"][mine, a:b]).max(axis=1)
        return out

    def slice(self, name: str, rows: IntArray, first: int, last: int) -> FloatArray:
        """A column of these rows (-1: a row that is not there) over the days first..last; shape (rows, days)."""
        out = _filled((len(rows), last + 1 - first), self.fills[name])
        a, b = max(first - self.origin, 0), min(last + 1 - self.origin, self.shape[1])
        there = np.flatnonzero((rows >= 0) & (rows < self.shape[0]))
        if b > a and len(there):
            out[there, a + self.origin - first : b + self.origin - first] = self.columns[name][rows[there], a:b]
        return out

    def at_hand(self, name: str, rows: Rows, first: int, last: int) -> FloatArray:
        """A column of these rows over those of the days first..last that the grid has."""
        a, b = max(first - self.origin, 0), max(last + 1 - self.origin, 0)
        found: FloatArray = self.columns.get(name, np.empty(self.shape))[rows, a:b]
        return found

    def with_data(self, first: int = 0, last: int = 1 << 40) -> tuple[IntArray, IntArray]:
        """Rows and days (ordinals) of first..last on which anything was measured, or that have a register's share."""
        if not self.columns:
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
        a, b = max(first - self.origin, 0), max(last + 1 - self.origin, 0)
        rows, columns = np.nonzero(self._filled(a, b))
        return rows, columns + self.origin + a

    def _filled(self, a: int, b: int | None = None) -> BoolArray:
        return np.asarray(np.logical_or.reduce([self.columns[name][:, a:b] > 0 for name in _FILLED]))

    def days_with_data(self) -> list[int]:
        """Days (ordinals) on which anything was measured, or that have a register's share."""
        if not self.columns:
            return []
        found = self._filled(0).any(axis=0)
        return [self.origin + column for column in np.flatnonzero(found).tolist()]

    def has_data(self, day: int) -> bool:
        """Whether anything was measured on a day (an ordinal)."""
        column = day - self.origin
        if not 0 <= column < self.shape[1]:
            return False
        return bool(self.columns["n"][:, column].any() or self.columns["flagged"][:, column].any())

    def bytes(self) -> int:
        """Bytes of the columns."""
        return sum(column.nbytes for column in self.columns.values())


def filled(shape: tuple[int, int], fill: float) -> FloatArray:
    """A column of one value.

    Mapped, where it is large: NumPy asks for pages of 2 MB, which the system has to find and to clear as a whole, and
    a row of five years is a hundredth of one.
    """
    size = 8 * shape[0] * shape[1]
    if size < _MAPPED:
        return _filled(shape, fill)
    made = np.frombuffer(mmap.mmap(-1, size, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS), dtype=np.float64).reshape(shape)
    if fill:
        made[:] = fill
    return made


def _filled(shape: tuple[int, int], fill: float) -> FloatArray:
    """An array of one value. Zeros are not written: the system gives no memory to the days without data."""
    return np.full(shape, fill) if fill else np.zeros(shape)
