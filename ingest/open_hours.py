"""Which rows of hours are stored at once. Those of the newest hour may wait, because its next windows change them.

Rows of an older hour are stored before any of a newer one. So after a crash all rows that waited are of the newest
stored hour, and a start makes these again from the stored windows.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from telemetry.partials import Partials
from telemetry.quantities import QUANTITIES
from telemetry.series import BoolArray, IntArray, SeriesTable
from telemetry.windows import is_due

_NEVER = -(1 << 60)


class OpenHours:
    """The rows of one city that wait, at most `every` ms. Events never wait, nor a series' first row."""

    def __init__(self, table: SeriesTable, every: int) -> None:
        self._table, self.every = table, every
        self._rows = Partials.empty()
        self._newest, self._next = _NEVER, 0  # start of the newest hour; when all are stored, ms UTC
        self._stored: IntArray = np.empty(0, dtype=np.int64)  # series that have a row of the newest hour

    def changed(self, hours: Partials) -> None:
        """These rows have changed."""
        if not len(hours):
            return
        self._rows = Partials.concat([self._rows, hours]).latest()
        newest = int(self._rows.start.max())
        if newest > self._newest:
            self._newest, self._stored = newest, np.empty(0, dtype=np.int64)

    def due(self, now: int | None = None) -> Iterator[Partials]:
        """The rows to store, older hours first. `now`: ms UTC, all that have waited long enough; None: those that
        cannot wait. They wait no more once the iterator has ended.
        """
        if not len(self._rows):
            return
        old, waits = self._rows.start < self._newest, np.zeros(len(self._rows), dtype=np.bool_)
        if now is None:
            waits = ~old & np.isin(self._rows.series, self._stored) & ~self._of_events(self._rows.series)
        elif not is_due(self._next, now, self.every):
            return
        rows = self._rows
        for mine in (old, ~old & ~waits):
            if mine.any():
                yield rows.where(mine)
                self._stored = np.union1d(self._stored, rows.series[mine & ~old])
        self._rows = rows.where(waits)
        if now is not None:
            self._next = now + self.every

    def all_of_them(self) -> Iterator[Partials]:
        """Every row that waits: the program ends."""
        self._next = 0
        yield from self.due(self.every)

    def _of_events(self, series: IntArray) -> BoolArray:
        return np.array([QUANTITIES[self._table[s].quantity].event for s in series.tolist()], dtype=np.bool_)
