"""The sums of the periods that were read last; only series that changed are added up again. Pure."""

from __future__ import annotations

from functools import partial

import numpy as np

from kpi_derivation.engine.days.grid import SUMMED, DayGrid
from kpi_derivation.engine.days.series_rows import SeriesRows
from kpi_derivation.engine.sums import Sums
from telemetry.series import FloatArray

_KEPT = 24  # periods


class PeriodSums:
    """Sums over whole civil days of all series in `main`, by quantity: those that are read."""

    def __init__(self, rows: SeriesRows, main: DayGrid) -> None:
        self._rows, self._main = rows, main
        self._summed: dict[tuple[int, int], dict[str, FloatArray]] = {}

    def of(self, first: int, last: int) -> Sums:
        """Sums of the civil days first..last."""
        if (first, last) not in self._summed:
            for old in list(self._summed)[: 1 - _KEPT]:
                del self._summed[old]
            self._summed[first, last] = {}
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

    def renew(self, changed: set[tuple[int, int]]) -> None:
        """Add up again the rows of these (row, day)."""
        if not changed or not self._summed:
            return
        days = {day for _, day in changed}
        spans = [span for span in self._summed if span[0] <= max(days) and min(days) <= span[1]]
        rows = np.array(sorted({row for row, _ in changed}), dtype=np.int64)
        for quantity, mine, places in self._rows.by_quantity(rows):
            for span in spans:
                table = self._summed[span].get(quantity)
                if table is not None:
                    old = places < len(table)
                    table[places[old]] = self._main.sums(*span, mine[old])

    def bytes(self) -> int:
        """Bytes of the sums."""
        return sum(table.nbytes for known in self._summed.values() for table in known.values())
