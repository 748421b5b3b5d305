"""Recent partials kept in memory, so that live data need not be read back from the store. Older ones are read.

Promise: `read` gives what the store holds after everything passed to `add` has been stored.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

import numpy as np

from telemetry.partials import Partials
from telemetry.series import IntArray, SeriesTable

if TYPE_CHECKING:
    from kpi_derivation.engine import History


class Recent:
    """The partials of one level whose start lies within `keep` ms of the newest one seen."""

    def __init__(
        self, history: History, city: str, level: Literal["window", "hour"], table: SeriesTable, keep: int
    ) -> None:
        self._history, self._city, self._level, self._table, self._keep = history, city, level, table, keep
        self._kept = Partials.empty()
        self._floor: int | None = None  # everything stored from here on is in memory

    def add(self, partials: Partials) -> None:
        """Note partials that are, or will be before the next `read`, in the store."""
        if not len(partials):
            return
        newest = int(partials.start.max())
        floor = newest - self._keep
        if self._floor is None or floor > self._floor + 8 * self._keep:
            self._load(floor)
        fresh = partials.take(partials.start >= (self._floor or 0))
        if len(fresh):
            self._kept = Partials.concat([self._kept, fresh]).latest()
        # Trimming only now and then keeps the copying small.
        if self._floor is not None and floor > self._floor + self._keep:
            self._floor = floor
            self._kept = self._kept.take(self._kept.start >= floor)

    def _load(self, floor: int) -> None:
        stored = self._history.partials(self._city, self._level, floor, 1 << 53, self._table)
        self._kept = Partials.concat(list(stored)).latest()
        self._floor = floor

    def read(self, start: int, end: int, series: IntArray | None = None) -> Iterator[Partials]:
        """Partials with start in [start, end), of these series; chunks sorted by (series, start)."""
        if self._floor is not None and start >= self._floor:
            part = self._kept
            keep = (part.start >= start) & (part.start < end)
            if series is not None:
                keep &= np.isin(part.series, series)
            yield part.take(keep)
        else:
            yield from self._history.partials(self._city, self._level, start, end, self._table, series)
