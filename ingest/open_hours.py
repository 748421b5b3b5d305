"""Which rows of hours are stored at once. Those of the newest hour may wait, because its next windows change them.

Rows of an older hour are stored before any of a newer one. So after a crash all rows that waited are of the newest
stored hour, and a start makes these again from the stored windows.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator

import numpy as np

from telemetry.partials import Partials
from telemetry.quantities import QUANTITIES
from telemetry.series import IntArray, SeriesTable
from telemetry.windows import HOUR, window_start

_NEVER, _FOREVER = -(1 << 60), 1 << 53
_PART = 6000  # rows of an hour that is over, stored in one round: what is live waits for them
_FEW = 2000  # rows that are stored together though they may wait for some time yet; of more each waits for its own
_SOON = 4  # part of `every` that these may wait yet
_AT_ONCE = 0  # of `_next`: no row of this hour is stored yet

Read = Callable[[int, IntArray], Partials]


class OpenHours:
    """The rows of one city that wait: each series' for `every` ms. Events never wait, nor a series' first row.

    Only their series are noted; `read` gives the rows: of the hour that starts at a time (ms UTC), of these series.
    """

    def __init__(self, table: SeriesTable, every: int, read: Read, phase: int = 0) -> None:
        """`phase`: ms after a full hour of UTC at which the city's hours start."""
        self._table, self.every, self._read, self._phase = table, every, read, phase
        self._newest, self._clock = _NEVER, 0  # start of the newest hour; time of the last derivation, ms UTC
        self._waits = np.zeros(0, dtype=np.bool_)  # by series, in the newest hour
        self._next: IntArray = np.zeros(0, dtype=np.int64)  # by series: ms UTC, from when on its row may be stored
        self._event = np.zeros(0, dtype=np.bool_)  # by series
        self._late: list[Partials] = []
        self._over = deque[tuple[int, IntArray]]()  # hours before the newest: series whose rows are to be stored

    def changed(self, hours: Partials) -> None:
        """These rows have changed."""
        if not len(hours):
            return
        self._grow()
        newest = window_start(int(hours.start.max()), HOUR, self._phase)  # a quarter starts within its hour
        if newest > self._newest:
            if self._waits.any():
                self._over.append((self._newest, np.flatnonzero(self._waits)))
            self._waits[:], self._next[:], self._newest = False, _AT_ONCE, newest
        may_wait = (hours.start == self._newest) & ~self._event[hours.series]
        self._waits[hours.series[may_wait]] = True
        if not may_wait.all():
            self._late.append(hours.where(~may_wait))

    @property
    def has_over(self) -> bool:
        """Whether rows of hours that are over are left, of which each `due` has a part."""
        return bool(self._over)

    @property
    def oldest(self) -> int:
        """Start of the oldest hour that is over and of which rows are still to be read, ms UTC."""
        return self._over[0][0] if self._over else _FOREVER

    def _grow(self) -> None:
        if fresh := self._table.all[len(self._waits) :]:
            self._event = np.append(self._event, [QUANTITIES[series.quantity].event for series in fresh])
            self._waits = np.append(self._waits, np.zeros(len(fresh), dtype=np.bool_))
            self._next = np.append(self._next, np.zeros(len(fresh), dtype=np.int64))

    def due(self, now: int | None = None) -> Iterator[Partials]:
        """The rows to store, older hours first. `now`: ms UTC, also those that have waited long enough.

        They wait no more once the next is requested of the iterator. Of hours that are over only a part is in it.
        """
        self._clock = self._clock if now is None else now
        if self._late:
            late = Partials.concat(self._late).latest()
            early = late.start < (self._over[0][0] if self._over else self._newest) + HOUR
            if early.any():
                yield late.where(early)
            self._late = [] if early.all() else [late.where(~early)]
        if self._over:
            start, series = self._over[0]
            yield self._read(start, series[:_PART])
            self._over[0] = start, series[_PART:]
            if len(series) <= _PART:
                self._over.popleft()
        if self._late or self._over:
            return
        series = self._ready(timed=now is not None)
        if len(series):
            yield self._read(self._newest, series)
            self._waits[series], self._next[series] = False, max(self._clock, 1) + self.every

    def _ready(self, timed: bool) -> IntArray:
        """Series whose row of the newest hour is to be stored. `timed`: also those that have waited long enough."""
        if not timed:
            return np.flatnonzero(self._waits & (self._next == _AT_ONCE))
        series = self._waited(self.every)
        if 0 < len(series) < _FEW and len(soon := self._waited(self.every - self.every // _SOON)) <= _FEW:
            return soon
        return series

    def _waited(self, long: int) -> IntArray:
        """Series whose row has waited so long, in ms."""
        left = self._next - self._clock
        over = (left <= self.every - long) | (left > self.every)  # a clock was set back
        return np.flatnonzero(self._waits & over)

    def all_of_them(self) -> Iterator[Partials]:
        """Every row that waits: the program ends."""
        self._next[:] = _AT_ONCE
        while self._late or self._over or self._waits.any():
            yield from self.due()
