"""The columns of all days: those of every series in one grid, those of a family of some quantities in its own. Pure."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping
from functools import partial

import numpy as np

from kpi_derivation.engine.days import along
from kpi_derivation.engine.days.family import Family
from kpi_derivation.engine.days.grid import SUMMED, DayGrid
from kpi_derivation.engine.families import FAMILIES
from kpi_derivation.engine.sums import Lazy
from telemetry.series import FloatArray, IntArray


class SparseGrid:
    """A grid that has a row only for some of the engine's rows."""

    def __init__(self, fills: Mapping[str, float]) -> None:
        self.grid = DayGrid(fills)
        self.rows = array("q")  # of the engine, in the order of the grid's
        self._places = array("i")  # row of the engine -> row of the grid, -1 for none

    def ensure(self, rows: IntArray, first: int, last: int) -> IntArray:
        """Make room for these rows on the days first..last; their places."""
        size = int(rows.max(initial=-1)) + 1
        places = self.places_of(rows, size)
        if (places < 0).any():
            self.add(dict.fromkeys(rows[places < 0].tolist()))
            places = self.places_of(rows, size)
        self.grid.ensure(len(self.rows), first, last)
        return places

    def add(self, rows: Iterable[int]) -> None:
        """Make places for these rows, which have none yet."""
        for row in rows:
            self._places.extend([-1] * (row + 1 - len(self._places)))
            self._places[row] = len(self.rows)
            self.rows.append(row)

    def put(self, rows: IntArray, days: IntArray, values: Mapping[str, FloatArray]) -> None:
        """Set columns at these (row, day)."""
        self.grid.put(self.ensure(rows, int(days.min()), int(days.max())), days, values)

    def places_of(self, rows: IntArray, size: int) -> IntArray:
        """The place of each row, -1 where it has none. `size`: rows the engine has."""
        self._places.extend([-1] * (size + 1 - len(self._places)))  # row -1 finds the last, which is -1
        return np.frombuffer(self._places, dtype=np.intc)[rows].astype(np.int64)

    def ways(self, rows: IntArray, size: int, first: int, last: int) -> Iterator[tuple[str, partial[FloatArray]]]:
        """How each column is read."""
        places = self.places_of(rows, size)
        for name in self.grid.fills:
            yield name, partial(self.grid.slice, name, places, first, last)


class DayColumns:
    """`main`: the columns of every series. `sparse`: quantities and the columns that only these have."""

    def __init__(self) -> None:
        everywhere = [family.columns for family in FAMILIES if family.quantities is None]
        self.main = DayGrid({name: fill for columns in (*everywhere, along.COLUMNS) for name, fill in columns.items()})
        some = [(family, family.quantities) for family in FAMILIES if family.quantities is not None]
        self._own = {id(family): SparseGrid(family.columns) for family, _ in some}
        self.sparse = [(quantities, self._own[id(family)]) for family, quantities in some]

    def put(self, family: Family, rows: IntArray, days: IntArray, values: Mapping[str, FloatArray]) -> None:
        """Set a family's columns at these (row, day)."""
        (self._own.get(id(family)) or self.main).put(rows, days, values)

    def of(self, family: Family) -> SparseGrid:
        """The grid of a family of some quantities."""
        return self._own[id(family)]

    def interval(self, rows: IntArray, days: IntArray) -> FloatArray:
        """Ms a reading stands for on these (row, day); NaN where unknown."""
        column = days - self.main.origin
        inside = (column >= 0) & (column < self.main.shape[1])
        out = np.full(len(rows), np.nan)
        out[inside] = self.main.columns["interval"][rows[inside], column[inside]]
        return out

    def has_readings(self, row: int, day: int) -> bool:
        """Whether a (row, day) has an accepted reading."""
        column = day - self.main.origin
        return 0 <= column < self.main.shape[1] and bool(self.main.columns["n"][row, column] > 0)

    def daily(self, rows: IntArray, size: int, quantity: str, first: int, last: int) -> Lazy:
        """Columns of the days first..last, of rows of one quantity: those summed over periods, and its families'."""
        found = Lazy({name: partial(self.main.slice, name, rows, first, last) for name in SUMMED})
        for quantities, grid in self.sparse:
            if quantity in quantities:
                found.ways.update(grid.ways(rows, size, first, last))
        return found

    def bytes(self) -> int:
        """Bytes of all columns."""
        return self.main.bytes() + sum(grid.grid.bytes() for _, grid in self.sparse)
