"""Sums of a period per (device, quantity), as a mapping and, for many devices at once, as rows of one array. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from telemetry.series import FloatArray, IntArray

Name = tuple[str, str]


class Lazy(dict[str, FloatArray]):
    """Columns that are made when they are first asked for. `ways`: how each is made."""

    def __init__(self, ways: dict[str, Callable[[], FloatArray]]) -> None:
        super().__init__()
        self.ways = ways

    def __missing__(self, name: str) -> FloatArray:
        self[name] = self.ways[name]()
        return self[name]


class Sums(Mapping[Name, FloatArray]):
    """`rows`: the row of each (device, quantity); `table`: the columns of each row; rows without data are not in it."""

    def __init__(self, rows: dict[Name, int], table: FloatArray) -> None:
        self._rows, self._table = rows, table
        self._seen = (table[:, 0] > 0) | (table[:, 6] > 0) if len(table) else np.empty(0, dtype=np.bool_)

    def __getitem__(self, name: Name) -> FloatArray:
        row = self._rows[name]
        if not self._has(row):
            raise KeyError(name)
        return np.asarray(self._table[row])

    def __iter__(self) -> Iterator[Name]:
        return (name for name, row in self._rows.items() if self._has(row))

    def _has(self, row: int) -> bool:
        return row < len(self._seen) and bool(self._seen[row])  # a row may be new since the table was made

    def __len__(self) -> int:
        return int(self._seen.sum())

    def places(self, names: Sequence[Name]) -> IntArray:
        """The row of each of these, -1 where there is none; they hold as long as `size` is the same."""
        return np.array([self._rows.get(name, -1) for name in names], dtype=np.int64)

    @property
    def size(self) -> int:
        """Number of rows."""
        return len(self._rows)

    def of(self, places: IntArray) -> FloatArray:
        """The columns of the rows at these places, zeros where there is no data."""
        there = (places >= 0) & (places < len(self._seen))
        if there.all():  # of thousands of devices, ten times quicker than row by row below
            out = self._table[places]
            if not (seen := self._seen[places]).all():
                out[~seen] = 0.0
            return out
        out = np.zeros((len(places), self._table.shape[1]))
        there[there] = self._seen[places[there]]
        out[there] = self._table[places[there]]
        return out

    def replaced(self, name: Name, by: Name) -> Sums:
        """The same sums, but `name` has the row of `by`; places stay valid."""
        table = self._table.copy()
        table[self._rows[name]] = table[self._rows[by]]
        return Sums(self._rows, table)

    def joined(self, other: Sums) -> Sums:
        """The rows of both; none of a name is in both."""
        size = len(self._table)
        rows = {name: row for name, row in self._rows.items() if row < size}
        more = {name: size + row for name, row in other._rows.items() if row < len(other._table)}
        return Sums(rows | more, np.concatenate((self._table, other._table)))
