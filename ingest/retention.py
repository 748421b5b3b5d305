"""Windows that are older than the settings keep: late ones are rejected, stored ones deleted in small pieces.

From when on the windows of a city are kept is noted in the store before anything is deleted, and only moves forward:
a late window of a deleted time would make its hour again from one minute. It is a midnight of the city, `keep_ms`
before the newest window, so that neither a clock that is ahead nor a city that is silent deletes what is newest.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable

from adapters.sqlite.connection import Damaged
from adapters.store import Kept
from ingest.core import CityIngest, Ingest
from telemetry.errors import CityVitalsError, UsageError
from telemetry.periods import iso, local_date, midnight
from telemetry.windows import DAY, HOUR, is_due

log = logging.getLogger(__name__)

# Windows that are rejected are deleted a day later: the first quarters of an hour are made of windows before it too.
MARGIN = DAY
_PIECE = 20_000  # windows deleted at once
_SHARE = 4  # a deletion may take one part of the time for this many of other work
_LONGEST = HOUR
_AFTER_ERROR = 10 * 60_000  # ms
_BEFORE_ALL = -(1 << 45)  # ms UTC, before all data and a time that every store can hold


class Retention:
    """The windows of all cities of an ingest. `keep_ms`: how long they are kept, None: forever. `clock`: ms UTC."""

    def __init__(self, ingest: Ingest, keep_ms: int | None, clock: Callable[[], int]) -> None:
        self._ingest, self._keep, self._clock = ingest, keep_ms, clock
        self._hour = -1  # in which was looked what is to be deleted
        self._open: list[CityIngest] = []  # cities with windows to be deleted
        self._next = 0  # ms UTC
        self._said = ""

    def wait(self) -> float:
        """Seconds until the next piece may be deleted; infinite where there is none."""
        return max(self._next - self._clock(), 0) / 1000 if self._open else math.inf

    def step(self) -> None:
        """Delete one piece, where there is any and others had their share of the time. Raises Damaged, UsageError.

        A store that rejects it, or does not answer, is tried later: that must not hold up what arrives.
        """
        now = self._clock()
        if self._keep is None or not is_due(self._next, now, _LONGEST):
            return
        try:
            if now // HOUR != self._hour:
                self._renew(self._keep, now)
            if self._open:
                self._delete(self._open[0])
            spent = max(self._clock() - now, 0)
            self._next = self._clock() + min(_SHARE * spent, _LONGEST)
        except (Damaged, UsageError):
            raise
        except CityVitalsError as error:
            self._next = now + _AFTER_ERROR
            if self._said != (text := f"old windows are not deleted: {error}"):
                log.warning(text)
                self._said = text

    def _renew(self, keep: int, now: int) -> None:
        """Note from when on windows are kept, and which cities have older ones."""
        for served in self._ingest.cities.values():
            if span := self._ingest.store.span(served.city.id, "window"):
                self._move(served, min(now, span[1]) - keep, now)
        cities = self._ingest.cities.values()
        self._open = [c for c in cities if c.kept and c.kept.deleted < c.kept.start - MARGIN]
        self._hour = now // HOUR

    def _move(self, served: CityIngest, oldest: int, now: int) -> None:
        start, before = midnight(local_date(oldest, served.city.zone), served.city.zone), served.kept
        if before is not None and start <= before.start:
            return
        if before is None:
            log.warning("%s: windows before %s are deleted from now on", served.city.id, iso(start))
        kept = Kept(start, before.deleted if before else _BEFORE_ALL, now)
        self._ingest.store.put_kept(served.city.id, "window", kept)
        served.kept = kept

    def _delete(self, served: CityIngest) -> None:
        store, city, kept = self._ingest.store, served.city.id, served.kept
        assert kept is not None  # noqa: S101 - see _renew
        end = kept.start - MARGIN
        done = store.delete_partials(city, "window", kept.deleted, end, _PIECE)
        served.kept = kept._replace(deleted=done)
        if done // DAY != kept.deleted // DAY:  # where a start goes on
            store.put_kept(city, "window", served.kept)
        if done >= end:
            self._open.remove(served)
