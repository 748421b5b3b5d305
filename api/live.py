"""Changes of KPI values, pushed to all who watch: one reader of the store for all of them.

    store --(every poll_s, per watched city)--> Feed --> one bounded queue per watcher --> server-sent events

The store numbers changes in the order in which it commits them; each event holds all changes up to its number. A
watcher is subscribed before its snapshot is read, so nothing is lost between the two, and what the snapshot holds
already is left out of its queue. The snapshot is made once for all who come before the next change.
A watcher too slow to take the events loses its connection, connects again with Last-Event-ID, and resumes.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from typing import NamedTuple

from anyio import to_thread

from api import sse
from api.queries import newest
from api.shared_store import SharedStore
from telemetry.errors import Unavailable
from telemetry.kpi_value import StoredKpi

MOST_CHANGES = 2000
QUEUE = 64
MOST_WATCHERS = 1000

log = logging.getLogger(__name__)


class Sent(NamedTuple):
    """An event on its way to a watcher, and the number of the last change in it; 0 where it holds none."""

    number: int
    event: bytes


class Beginning(NamedTuple):
    """The first events for a client, and the number up to which they hold everything."""

    number: int
    events: tuple[bytes, ...]


Watcher = asyncio.Queue[Sent | None]


class Full(Unavailable):
    """As many clients watch as this server takes."""


class Feed:
    """The watchers of one city. `after`: the number of the last change they were sent; None before the first."""

    def __init__(self, city: str) -> None:
        self.city = city
        self.after: int | None = None
        self.watchers: set[Watcher] = set()
        self.lock = asyncio.Lock()
        self._beginnings: dict[int | None, Beginning] = {}

    def beginning(self, last_id: int | None) -> Beginning | None:
        """The first events for clients that saw `last_id`, where no change was sent since they were made."""
        return self._beginnings.get(last_id)

    def keep(self, last_id: int | None, made: Beginning) -> None:
        """Share these first events until the next change. They are not shared where one was sent meanwhile."""
        if self.after is None:
            self.after = made.number
        if made.number >= self.after and len(self._beginnings) < QUEUE:
            self._beginnings[last_id] = made

    def send(self, sent: Sent | None) -> None:
        """Hand an event to every watcher; None ends them. A watcher with a full queue is disconnected."""
        if sent and sent.number:
            self.after = sent.number
            self._beginnings.clear()
        for watcher in list(self.watchers):
            if watcher.full():
                self.watchers.discard(watcher)
                watcher.get_nowait()
                watcher.put_nowait(None)
            else:
                watcher.put_nowait(sent)


class Hub:
    """Reads the store once per period for every city somebody watches; rests while nobody does."""

    def __init__(
        self, store: SharedStore, poll_s: float, beat_s: float, clock: Callable[[], int], most: int = MOST_WATCHERS
    ) -> None:
        self._store, self._poll_s, self._beat_s, self._clock, self._most = store, poll_s, beat_s, clock, most
        self._feeds: dict[str, Feed] = {}
        self._task: asyncio.Task[None] | None = None
        self._away = False

    @property
    def watchers(self) -> int:
        """How many clients are connected."""
        return sum(len(feed.watchers) for feed in self._feeds.values())

    async def watch(self, city: str, last_id: int | None) -> AsyncIterator[bytes]:
        """The events for one client, without end. Raises Unavailable at once where the store is away, Full.

        Begins with a snapshot, or after a reconnect (`last_id`) with what has changed since.
        """
        if self.watchers >= self._most:
            raise Full(f"{self._most} clients watch already; ask again later, or raise api.max_live.")
        feed = self._feeds.setdefault(city, Feed(city))
        watcher: Watcher = asyncio.Queue(QUEUE)
        feed.watchers.add(watcher)
        try:
            first = await self._first(feed, last_id)
        except BaseException:
            feed.watchers.discard(watcher)
            raise
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._poll())
        return self._events(feed, watcher, first)

    async def _first(self, feed: Feed, last_id: int | None) -> Beginning:
        """The first events, made by one client for all that wait."""
        async with feed.lock:
            first = feed.beginning(last_id)
            if first is None:
                first = await to_thread.run_sync(self._beginning, feed.city, last_id)
                feed.keep(last_id, first)
            return first

    async def _events(self, feed: Feed, watcher: Watcher, first: Beginning) -> AsyncIterator[bytes]:
        try:
            for known in first.events:
                yield known
            yield sse.alive(self._clock(), not self._away)
            while (sent := await self._next(watcher)) is not None:
                if not 0 < sent.number <= first.number:
                    yield sent.event
        finally:
            feed.watchers.discard(watcher)

    async def _next(self, watcher: Watcher) -> Sent | None:
        """The next event; a heartbeat when there is none for a while."""
        try:
            async with asyncio.timeout(self._beat_s):
                return await watcher.get()
        except TimeoutError:
            return Sent(0, sse.alive(self._clock(), not self._away))

    def _beginning(self, city: str, last_id: int | None) -> Beginning:
        """What a client gets first; a snapshot also where its id is not one of this store, or it missed very much."""
        number = self._store.newest_change(city)
        if last_id is not None and last_id <= number:
            changed = self._store.changes(city, last_id, MOST_CHANGES + 1)
            if len(changed) <= MOST_CHANGES:
                number = changed[-1][0] if changed else last_id
                return Beginning(number, (_kpis(city, changed),) if changed else ())
        rows = newest(self._store, city)  # read after the number, so that they hold all changes up to it
        return Beginning(number, (sse.values("snapshot", city, rows, number),))

    async def _poll(self) -> None:
        """Ask for changes until nobody watches."""
        try:
            while self.watchers:
                for feed in list(self._feeds.values()):
                    if feed.watchers:
                        await self._ask(feed)
                    else:
                        del self._feeds[feed.city]
                await asyncio.sleep(self._poll_s)
            self._feeds.clear()
        except Exception:  # whatever it is, the clients must not be left waiting; it is raised again
            log.exception("The live feed has a fault; its clients will connect again.")
            self.close()
            raise

    async def _ask(self, feed: Feed) -> None:
        if feed.after is None:
            return
        try:
            sent = await to_thread.run_sync(self._changes, feed.city, feed.after)
            self._tell(away=False)
        except Unavailable as error:
            self._tell(away=True, why=str(error))
        else:
            if sent:
                feed.send(sent)

    def _changes(self, city: str, after: int) -> Sent | None:
        """What changed behind a number; a new snapshot where it is very much, as after a backfill."""
        changed = self._store.changes(city, after, MOST_CHANGES + 1)
        if len(changed) > MOST_CHANGES:
            number = self._store.newest_change(city)
            return Sent(number, sse.values("snapshot", city, newest(self._store, city), number))
        return Sent(changed[-1][0], _kpis(city, changed)) if changed else None

    def _tell(self, away: bool, why: str = "") -> None:
        """Tell every watcher when the store goes away or comes back; log it once per change."""
        if away == self._away:
            return
        self._away = away
        log.warning("The store is away: %s", why) if away else log.info("The store is back.")
        for feed in self._feeds.values():
            feed.send(Sent(0, sse.alive(self._clock(), not away)))

    def close(self) -> None:
        """End all streams, so that the server can stop."""
        for feed in self._feeds.values():
            feed.send(None)


def _kpis(city: str, changed: list[tuple[int, StoredKpi]]) -> bytes:
    return sse.values("kpis", city, [row for _, row in changed], changed[-1][0])
