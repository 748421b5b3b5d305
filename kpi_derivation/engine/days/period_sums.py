"""The sums of the periods that were read last; only series that changed are added up again. Pure.

A table has 64 bytes a series, and a day that is over is read once an hour at most: its sums are made again then.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from kpi_derivation.engine.days.grid import SUMMED, DayGrid
from kpi_derivation.engine.days.series_rows import SeriesRows
from kpi_derivation.engine.row_days import RowDays
from kpi_derivation.engine.sums import Sums
from telemetry.series import FloatArray

_KEPT = 24  # periods
_IDLE = 500  # changes of any days after which the sums of a period are not kept that was not read since


class PeriodSums:
    """Sums over whole civil days of all series in `main`, by quantity: those that are read."""

    def __init__(self, rows: SeriesRows, main: DayGrid) -> None:
        self._rows, self._main = rows, main
        self._summed: dict[tuple[int, int], dict[str, FloatArray]] = {}
        self._changes, self._read = 0, dict[tuple[int, int], int]()  # and after how many each period was read last

    def of(self, first: int, last: int) -> Sums:
        """Sums of the civil days first..last."""
        first, last = self._main.summed(first, last)
        if (first, last) not in self._summed:
            for old in list(self._summed)[: 1 - _KEPT]:
                del self._summed[old]
            self._summed[first, last] = {}
        self._read[first, last] = self._changes
        return Sums(self._rows.places, partial(self._table, self._summed[first, last], first, last))

    def _table(self, known: dict[str, FloatArray], first: int, last: int, quantity: str) -> FloatArray:
        """The sums of the rows of a quantity that the grid has; `known`: those of the period."""
        if not self._main.has_days(first, last):  # as of the days before a city's first
            return np.broadcast_to(
                np.zeros(len(SUMMED) + 1), (len(self._rows.with_quantity(quantity)), len(SUMMED) + 1)
            )
        rows = self._rows.with_quantity(quantity)
        rows = rows[: np.searchsorted(rows, self._main.shape[0])]
        table = known.get(quantity)
        if table is None:
            table = known[quantity] = self._main.sums(first, last, rows)
        elif len(table) < len(rows):
            table = known[quantity] = np.concatenate((table, self._main.sums(first, last, rows[len(table) :])))
        return table

    def renew(self, changed: RowDays) -> None:
        """Add up again the rows of these (row, day)."""
        if not len(changed) or not self._summed:
            return
        self._changes += 1
        self._read = {span: last for span, last in self._read.items() if self._changes - last <= _IDLE}
        self._summed = {span: tables for span, tables in self._summed.items() if span in self._read}
        row, day = changed.row, changed.day
        for span, tables in self._summed.items():
            mine = row[(day >= span[0]) & (day <= span[1])]
            for quantity, rows, places in self._rows.by_quantity(mine[np.diff(mine, prepend=-1) != 0]):
                if (table := tables.get(quantity)) is not None:
                    old = places < len(table)
                    table[places[old]] = self._main.sums(*span, rows[old])

    def bytes(self) -> int:
        """Bytes of the sums."""
        return sum(table.nbytes for known in self._summed.values() for table in known.values())
