"""How long changed windows wait until they are sent: those of slow, regular devices, and those of very many readings;
and which leave first where not all can leave together.

Every flush costs the gateway two commits, ingest a round of the KPI engine and the store a write of each hour that it
touches. With a reading of each device every 30 s, flushes of every second carry one reading of every window. And each
send of a window reads all its readings.
"""

from __future__ import annotations

from array import array

import numpy as np

from adapters.sqlite.buffer import Dirty
from adapters.sqlite.outbox import Turn, Window, Windows
from telemetry.partials import Partials
from telemetry.quantities import QUANTITIES
from telemetry.readings import Readings
from telemetry.series import SeriesTable
from telemetry.windows import HOUR, is_due, window_start

_BUSY_SHARE, _IDLE_SHARE, LONGEST_FLUSH_MS = 4, 2, 5000
LONGEST_MS = 15_000  # that slow, regular devices wait
_PART, _FAST_PART = 2, 3  # of the time between two readings; where that is less than
_SLOW_MS = 20_000
_MANY = 200  # readings of one batch: the gateway is busy, and its flushes are paced by their cost
_LONGEST_LARGE_MS = 15_000
_SMALL = 1000  # readings; a flush comes every second, so a wait of a second changes nothing
_FIRST_AT_ONCE = 1000  # windows
_LIVE = 2  # windows of a series: the open one and the one before


def pause_ms(sending: int, idle: bool) -> int:
    """How long after a flush the next one comes at the earliest, when reading and sending took this many ms.

    Every flush reads all readings of the windows that have changed, so an open window with many readings would be read
    every second of its minute: sending has a fifth of the time, a third where the gateway was `idle` for half of it.
    With little to send this changes nothing.
    """
    return min(max(sending, 0) * (_IDLE_SHARE if idle else _BUSY_SHARE), LONGEST_FLUSH_MS)


class Cadence:
    """A reading may wait half of the time since the one before it, at most 15 s; then all changed windows are sent.

    A third of it where that is less than 20 s.

    Only where its series is regular: two times between readings that differ by a factor of two at most. The first
    readings of a series, one that comes unexpectedly, several at once and events (charging sessions) do not wait.
    Without `open_windows` a regular reading waits until the window of its arrival closes.
    """

    def __init__(self, table: SeriesTable, width: int, open_windows: bool = True) -> None:
        self.longest = LONGEST_MS if open_windows else max(LONGEST_MS, width)
        self._closes_after = 0 if open_windows else width
        self.turns = Turns(table, width)
        self.due = 0  # ms UTC, from when on changed windows are to be sent
        self._nothing = False  # has been noted since the last flush
        self._table = table
        self._last = array("q")  # by series: arrival of the newest reading, ms UTC
        self._gap = array("q")  # and ms since the one before

    def note(self, readings: Readings) -> None:
        """These readings are committed."""
        self.turns.note(readings)
        if len(readings) > _MANY:
            self.hurry()
            return
        if missing := len(self._table) - len(self._last):
            self._last.extend([0] * missing)
            self._gap.extend([0] * missing)
        for series, arrival in dict(zip(readings.series.tolist(), readings.arrival.tolist(), strict=True)).items():
            gap, before = arrival - self._last[series], self._gap[series]
            self._last[series], self._gap[series] = arrival, gap
            regular = gap <= 2 * before and before <= 2 * gap and not QUANTITIES[self._table[series].quantity].event
            due = self._regular_due(arrival, gap) if regular else 0
            self.due, self._nothing = due if self._nothing else min(self.due, due), False

    def _regular_due(self, arrival: int, gap: int) -> int:
        if self._closes_after:
            return window_start(arrival, self._closes_after) + self._closes_after
        return arrival + min(gap // (_PART if gap >= _SLOW_MS else _FAST_PART), LONGEST_MS)

    def sent(self, now: int, all_of_them: bool) -> None:
        """Changed windows were sent at `now`, ms UTC; without `all_of_them` the others follow with the next flush."""
        self.due, self._nothing = now + self.longest if all_of_them else 0, all_of_them

    def is_due(self, now: int) -> bool:
        """Whether changed windows are to be sent at `now`, ms UTC."""
        return is_due(self.due, now, self.longest)

    def counted(self) -> None:
        """The gateway's own counts are stored, its heartbeat: they wait only where open windows do."""
        if not self._closes_after:
            self.hurry()

    def hurry(self) -> None:
        """Send with the next flush."""
        self.due, self._nothing = 0, False


class Turns:
    """Which windows leave first where more wait than one flight carries.

    Those of events of the last hour are `first`: few, and each changes a count that somebody watches. Live ones of
    regular devices take turns, because newest first alone would send the same series with every flight until all of
    them fit. Older ones follow where there is room, as before.
    """

    def __init__(self, table: SeriesTable, width: int) -> None:
        self.first: dict[Window, None] = {}
        self._table, self._width = table, width
        self._event = np.empty(0, dtype=np.bool_)  # by series
        self._after: Window | None = None

    def note(self, readings: Readings) -> None:
        """These readings are committed."""
        if missing := self._table.all[len(self._event) :]:
            self._event = np.append(self._event, [QUANTITIES[series.quantity].event for series in missing])
        of_events = self._event[readings.series]
        if not of_events.any():
            return
        rows = np.flatnonzero(of_events & (readings.arrival - readings.t < HOUR))[: _FIRST_AT_ONCE - len(self.first)]
        starts = window_start(readings.t[rows], self._width)
        self.first |= dict.fromkeys(zip(readings.series[rows].tolist(), starts.tolist(), strict=True))

    def turn(self, skip: Windows) -> Turn:
        """The order for the next flight."""
        return Turn(skip, list(self.first), self._after)

    def sent(self, dirty: Dirty, full: bool, now: int) -> None:
        """These windows left at `now`, ms UTC. `full`: as many as a flight carries, so others wait."""
        self._after = None
        if full and dirty.window[-1] >= window_start(now, self._width) - (_LIVE - 1) * self._width:
            self._after = int(dirty.series[-1]), int(dirty.window[-1])


class LargeWindows:
    """A window waits as many ms as it had readings when it was read, at most 15 seconds.

    So reading one takes a small, fixed part of the time, however fast its sender is, and the windows of others leave
    with the next flush. A sender of 100 readings a second is up to 6 s behind.
    """

    def __init__(self) -> None:
        self._until: dict[tuple[int, int], int] = {}  # (series, start) -> ms UTC

    def waiting(self, now: int) -> list[tuple[int, int]]:
        """Series and start of the windows that are not read yet. `now`: ms UTC; one that was set back ends the wait."""
        self._until = {window: t for window, t in self._until.items() if now < t <= now + _LONGEST_LARGE_MS}
        return list(self._until)

    def note(self, partials: Partials, now: int) -> float:
        """These windows are read at `now`, ms UTC. Returns the share of their readings that is not in large ones."""
        count = partials.n + partials.flagged
        large = count > _SMALL
        for row in np.flatnonzero(large).tolist():
            window = int(partials.series[row]), int(partials.start[row])
            self._until[window] = now + min(int(count[row]), _LONGEST_LARGE_MS)
        return float(count[~large].sum() / count.sum()) if large.any() else 1.0
