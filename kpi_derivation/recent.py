"""Recent partials kept in memory, so that live data need not be read back from the store. Older ones are read.

Promise: `read` gives what the store holds once everything passed to `add` has been stored there, provided that nobody
else writes this city's partials.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import TYPE_CHECKING, Literal

import numpy as np

from telemetry.partials import Partials
from telemetry.series import IntArray, SeriesTable

if TYPE_CHECKING:
    from kpi_derivation.engine import History

_ALWAYS, _NEVER = -(1 << 60), 1 << 53


class Recent:
    """The partials of one level from some time on; at least those within `keep` ms of the newest."""

    def __init__(
        self, history: History, city: str, level: Literal["window", "hour"], table: SeriesTable, keep: int
    ) -> None:
        self._history, self._city, self._level, self._table, self._keep = history, city, level, table, keep
        self._kept = Partials.empty()
        self._floor = _ALWAYS  # everything stored from here on is in memory

    def start(self, newest: int) -> None:
        """The store already holds partials, the newest at `newest`: take the recent ones into memory."""
        self._floor = newest - self._keep
        stored = self._history.partials(self._city, self._level, self._floor, _NEVER, self._table)
        self._kept = Partials.concat(list(stored)).latest()

    def add(self, partials: Partials) -> None:
        """Note partials that are in the store, or will be before it is read again."""
        fresh = partials.take(partials.start >= self._floor)
        if len(fresh):
            self._kept = Partials.concat([self._kept, fresh]).latest()

    def trim(self) -> None:
        """Forget what is older than `keep`; only now and then, so that little is copied."""
        if not len(self._kept):
            return
        floor = int(self._kept.start.max()) - self._keep
        if floor > self._floor + self._keep:
            self._floor = floor
            self._kept = self._kept.take(self._kept.start >= floor)

    def bytes(self) -> int:
        """Bytes of the partials in memory."""
        return sum(getattr(self._kept, f.name).nbytes for f in fields(self._kept))

    def read(self, start: int, end: int, series: IntArray | None = None) -> Iterator[Partials]:
        """Partials with start in [start, end), of these series; each chunk sorted by (series, start)."""
        if start >= self._floor:
            part = self._kept
            keep = (part.start >= start) & (part.start < end)
            if series is not None:
                keep &= np.isin(part.series, series)
            yield part.take(keep)
        else:
            yield from self._history.partials(self._city, self._level, start, end, self._table, series)
