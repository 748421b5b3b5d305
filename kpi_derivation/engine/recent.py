"""Recent partials kept in memory, so that live data need not be read back from the store. Older ones are read.

Promise: `read` gives what the store holds once everything passed to `add` has been stored there, provided that nobody
else writes this city's partials.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Literal, Protocol

import numpy as np

from telemetry.partials import Partials
from telemetry.series import IntArray, SeriesTable

_FRESH = 20_000  # partials that may wait to be merged with the others
_FEW = 50  # series that are looked up one by one
_ALWAYS, _NEVER = -(1 << 60), 1 << 53


class History(Protocol):
    """What the engine reads back: the store's partials."""

    def partials(
        self,
        city: str,
        level: Literal["window", "hour"],
        start: int,
        end: int,
        table: SeriesTable,
        series: IntArray | None = None,
    ) -> Iterator[Partials]:
        """Partials of a city with start in [start, end)."""


class Recent:
    """The partials of one level from some time on; at least those within `keep` ms of the newest."""

    def __init__(
        self, history: History, city: str, level: Literal["window", "hour"], table: SeriesTable, keep: int
    ) -> None:
        self._history, self._city, self._level, self._table, self._keep = history, city, level, table, keep
        self._kept, self._fresh = Partials.empty(), Partials.empty()  # what is fresh replaces what is kept
        self._floor = _ALWAYS  # everything stored from here on is in memory

    def start(self, newest: int) -> None:
        """Load recent partials from a store whose newest partial is at `newest`."""
        self._floor = newest - self._keep
        stored = self._history.partials(self._city, self._level, self._floor, _NEVER, self._table)
        self._kept, self._fresh = Partials.concat(list(stored)).latest(), Partials.empty()

    def add(self, partials: Partials) -> None:
        """Note partials that are in the store, or will be before it is read next."""
        fresh = partials.take(partials.start >= self._floor)
        if len(fresh):
            self._fresh = Partials.concat([self._fresh, fresh]).latest()
            if len(self._fresh) > max(_FRESH, len(self._kept) // 16):
                self._merge()

    def _merge(self) -> None:
        """Merge the fresh partials; called rarely, because it copies everything."""
        self._kept, self._fresh = Partials.concat([self._kept, self._fresh]).latest(), Partials.empty()

    def trim(self) -> None:
        """Remove partials older than `keep`, at least an eighth of it at a time: each removal copies the rest."""
        newest = max((int(p.start.max()) for p in (self._kept, self._fresh) if len(p)), default=self._floor)
        if newest - self._keep > self._floor + self._keep // 8:
            self._floor = newest - self._keep
            self._merge()
            self._kept = self._kept.take(self._kept.start >= self._floor)

    def bytes(self) -> int:
        """Bytes of the partials in memory."""
        return sum(getattr(part, f.name).nbytes for part in (self._kept, self._fresh) for f in fields(Partials))

    def read(self, start: int, end: int, series: IntArray | None = None) -> Iterator[Partials]:
        """Partials with start in [start, end), of these series; each chunk sorted by (series, start)."""
        if start >= self._floor:
            both = [_part(held, start, end, series) for held in (self._kept, self._fresh) if len(held)]
            yield Partials.concat(both).latest()
        else:
            yield from self._history.partials(self._city, self._level, start, end, self._table, series)


def _part(held: Partials, start: int, end: int, series: IntArray | None) -> Partials:
    """The rows with start in [start, end), of these series; `held`: sorted by (series, start)."""
    if series is None:
        return held.take((held.start >= start) & (held.start < end))
    if len(series) > _FEW:
        return held.take((held.start >= start) & (held.start < end) & np.isin(held.series, series))
    wanted = np.unique(series)
    bounds = zip(np.searchsorted(held.series, wanted), np.searchsorted(held.series, wanted, "right"), strict=True)
    mine = np.concatenate([np.empty(0, dtype=np.int64), *(np.arange(a, b) for a, b in bounds)])
    return held.take(mine[(held.start[mine] >= start) & (held.start[mine] < end)])
