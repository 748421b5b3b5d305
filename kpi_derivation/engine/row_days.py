"""Sets of (row, day), and numbers that belong to rows: as columns, because ten thousand meters are ten thousand days
that change every second. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np

from kpi_derivation.engine.days.series_rows import SeriesRows
from telemetry.series import BoolArray, FloatArray, IntArray

_BITS = 23  # of an ordinal of a day


class RowDays:
    """Some (row, day); days are ordinals. As a set, it is equal to a set of pairs and can be iterated over."""

    __slots__ = ("_code",)

    def __init__(self, code: IntArray | None = None) -> None:
        """`code`: of each, sorted, none twice; without it there is none."""
        self._code: IntArray = np.empty(0, dtype=np.int64) if code is None else code

    @staticmethod
    def of(rows: IntArray | FloatArray, days: IntArray) -> RowDays:
        """These, in any order, some perhaps twice."""
        return RowDays(np.unique((rows.astype(np.int64) << _BITS) | days))

    @staticmethod
    def pairs(pairs: Iterable[tuple[int, int]]) -> RowDays:
        """These."""
        rows, days = np.array(list(pairs), dtype=np.int64).reshape(-1, 2).T
        return RowDays.of(rows, days)

    @staticmethod
    def union(sets: Sequence[RowDays]) -> RowDays:
        """Those of any of these sets."""
        some = [found for found in sets if len(found)]
        if len(some) < 2:
            return some[0] if some else RowDays()
        return RowDays(np.unique(np.concatenate([found._code for found in some])))

    @property
    def row(self) -> IntArray:
        """The row of each, ascending."""
        return self._code >> _BITS

    @property
    def day(self) -> IntArray:
        """The day of each."""
        return self._code & ((1 << _BITS) - 1)

    @property
    def rows(self) -> IntArray:
        """The rows, each once."""
        row = self.row
        found: IntArray = row[np.diff(row, prepend=-1) != 0]
        return found

    @property
    def days(self) -> list[int]:
        """The days, each once."""
        found: list[int] = np.unique(self.day).tolist()
        return found

    def pieces(self, size: int) -> Iterator[RowDays]:
        """These in pieces of about `size`, all days of a row in one."""
        if len(self) <= size:
            yield self
            return
        row = self.row
        starts = np.flatnonzero(np.diff(row, prepend=-1))
        cuts = starts[np.flatnonzero(np.diff(starts // size, prepend=-1))].tolist()
        for a, b in zip(cuts, [*cuts[1:], len(row)], strict=True):
            yield RowDays(self._code[a:b])

    def where(self, wanted: BoolArray) -> RowDays:
        """Those that are wanted."""
        return self if wanted.all() else RowDays(self._code[wanted])

    def __len__(self) -> int:
        return len(self._code)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return zip(self.row.tolist(), self.day.tolist(), strict=True)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, RowDays):
            return np.array_equal(self._code, other._code)
        return set(self) == other

    __hash__ = None  # type: ignore[assignment]

    def __or__(self, other: RowDays) -> RowDays:
        if not len(self) or not len(other):
            return self if len(self) else other
        return RowDays(np.union1d(self._code, other._code))

    def __sub__(self, other: RowDays) -> RowDays:
        return RowDays(np.setdiff1d(self._code, other._code, assume_unique=True)) if len(self) and len(other) else self


class ByRow:
    """A number of each row, found by device and quantity when it is first read; it may not change.

    `same`: the number of every row, where all have the same; then none is looked up. `small`: they are 0 to 255.
    """

    def __init__(
        self, rows: SeriesRows, number: Callable[[str, str], float], same: float | None = None, *, small: bool = False
    ) -> None:
        self._rows, self._number, self._same = rows, number, same
        self._known: FloatArray = np.empty(0, dtype=np.uint8 if small else np.float64)

    def of(self, rows: IntArray) -> FloatArray:
        """The numbers of these rows."""
        if self._same is not None:
            return np.full(len(rows), self._same)
        if len(self._known) < len(self._rows):
            fresh = [self._number(*name) for name in self._rows.names_from(len(self._known))]
            self._known = np.append(self._known, np.array(fresh, dtype=self._known.dtype))
        return self._known[rows]


class ByQuantity:
    """A number of each row, found by its quantity; it may not change."""

    def __init__(self, rows: SeriesRows, number: Callable[[str], float]) -> None:
        self._rows, self._number = rows, number
        self._known: FloatArray = np.empty(0)

    def of(self, rows: IntArray) -> FloatArray:
        """The numbers of these rows."""
        if len(self._known) < len(self._rows.names):
            self._known = np.array([self._number(name) for name in self._rows.names], dtype=np.float64)
        return self._known[self._rows.codes(rows)]
