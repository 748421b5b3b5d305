"""The sums of the periods that were read last; only series that changed are added up again. Pure."""

from __future__ import annotations

import numpy as np

from kpi_derivation.engine.days.grid import DayGrid
from kpi_derivation.engine.days.series_rows import SeriesRows
from kpi_derivation.engine.sums import Sums
from telemetry.series import FloatArray

_KEPT = 24  # periods


class PeriodSums:
    """Sums over whole civil days of all series in `main`."""

    def __init__(self, rows: SeriesRows, main: DayGrid) -> None:
        self._rows, self._main = rows, main
        self._summed: dict[tuple[int, int], FloatArray] = {}

    def of(self, first: int, last: int) -> Sums:
        """Sums of the civil days first..last per (device, quantity) with data."""
        known = self._summed.get((first, last))
        if known is None or len(known) != self._main.shape[0]:
            for old in list(self._summed)[: 1 - _KEPT]:
                del self._summed[old]
            known = self._summed[first, last] = self._main.sums(first, last)
        return Sums(self._rows.by_name(), known)

    def renew(self, changed: set[tuple[int, int]]) -> None:
        """Add up again the rows of these (row, day)."""
        rows = np.array(sorted({row for row, _ in changed}), dtype=np.int64)
        self._summed = {k: table for k, table in self._summed.items() if len(table) == self._main.shape[0]}
        for (first, last), table in self._summed.items() if len(rows) else ():
            table[rows] = self._main.sums(first, last, rows)

    def bytes(self) -> int:
        """Bytes of the sums."""
        return sum(table.nbytes for table in self._summed.values())
