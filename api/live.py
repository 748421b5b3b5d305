"""Changes of KPI values, pushed to all watching clients by one reader of the store.

    store --(every poll_s, per watched city)--> Feed --> one bounded queue per watcher --> server-sent events

The store numbers changes in the order in which it commits them; each event holds all changes up to its number. A
watcher is subscribed before its snapshot is read, so nothing is lost in between, and changes that the snapshot contains
are skipped in its queue. A snapshot is created once for all watchers that connect before the next change.
A watcher that is too slow is disconnected, reconnects with Last-Event-ID and resumes.
"""

from __future__ import annotations

import asyncio
import logging
import weakref
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
    """The maximum number of clients is connected."""


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
        """Send an event to every watcher; None ends them. A watcher with a full queue is disconnected."""
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
    """Reads the store once per interval for every watched city; idle while there are no watchers."""

    def __init__(
        self, store: SharedStore, poll_s: float, beat_s: float, clock: Callable[[], int], most: int = MOST_WATCHERS
    ) -> None:
        self._store, self._poll_s, self._beat_s, self._clock, self._most = store, poll_s, beat_s, clock, most
        self._feeds: dict[str, Feed] = {}
        self._task: asyncio.Task[None] | None = None
        self._unavailable = self._closed = False

    @property
    def watchers(self) -> int:
        """The number of connected clients."""
        return sum(len(feed.watchers) for feed in self._feeds.values())

    async def watch(self, city: str, last_id: int | None) -> AsyncIterator[bytes]:
        """The events for one client, without end. Raises Unavailable at once where the store does not answer, Full.

        Starts with a snapshot, or after a reconnect (`last_id`) with the changes since then.
        """
        if self._closed:
            raise Unavailable("The server is stopping; connect again in some seconds.")
        if self.watchers >= self._most:
            raise Full(f"{self._most} clients are connected already; retry later, or raise api.max_live.")
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
        events = self._events(feed, watcher, first)
        weakref.finalize(events, feed.watchers.discard, watcher)  # one that is never begun has no end of its own
        return events

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
            yield sse.alive(self._clock(), not self._unavailable)
            while (sent := await self._next(watcher)) is not None:
                if not 0 < sent.number <= first.number:
                    yield sent.event
        finally:
            feed.watchers.discard(watcher)

    async def _next(self, watcher: Watcher) -> Sent | None:
        """The next event; a heartbeat when there is none for `beat_s`."""
        try:
            async with asyncio.timeout(self._beat_s):
                return await watcher.get()
        except TimeoutError:
            return Sent(0, sse.alive(self._clock(), not self._unavailable))

    def _beginning(self, city: str, last_id: int | None) -> Beginning:
        """The first events for a client: a snapshot also where its id is unknown to this store, or it missed very many
        changes.
        """
        number = self._store.newest_change(city)
        if last_id is not None and last_id <= number:
            changed = self._store.changes(city, last_id, MOST_CHANGES + 1)
            if len(changed) <= MOST_CHANGES:
                number = changed[-1][0] if changed else last_id
                return Beginning(number, (_kpis(city, changed),) if changed else ())
        rows = newest(self._store, city)  # read after the number, so that they hold all changes up to it
        return Beginning(number, (sse.values("snapshot", city, rows, number),))

    async def _poll(self) -> None:
        """Query changes until there are no watchers."""
        try:
            while self.watchers:
                for feed in list(self._feeds.values()):
                    if feed.watchers:
                        await self._ask(feed)
                    else:
                        del self._feeds[feed.city]
                await asyncio.sleep(self._poll_s)
            self._feeds.clear()
        except Exception:  # for any fault the clients must be disconnected; it is re-raised
            log.exception("The live feed failed; its clients will reconnect.")
            self._end()
            raise

    async def _ask(self, feed: Feed) -> None:
        if feed.after is None:
            return
        try:
            sent = await to_thread.run_sync(self._changes, feed.city, feed.after)
            self._report(unavailable=False)
        except Unavailable as error:
            self._report(unavailable=True, why=str(error))
        else:
            if sent:
                feed.send(sent)

    def _changes(self, city: str, after: int) -> Sent | None:
        """The changes after a number; a new snapshot where there are very many, as after a backfill."""
        changed = self._store.changes(city, after, MOST_CHANGES + 1)
        if len(changed) > MOST_CHANGES:
            number = self._store.newest_change(city)
            return Sent(number, sse.values("snapshot", city, newest(self._store, city), number))
        return Sent(changed[-1][0], _kpis(city, changed)) if changed else None

    def _report(self, unavailable: bool, why: str = "") -> None:
        """Report to every watcher when the store stops or resumes answering; log it once per change."""
        if unavailable == self._unavailable:
            return
        self._unavailable = unavailable
        log.warning("The store does not answer: %s", why) if unavailable else log.info("The store answers.")
        for feed in self._feeds.values():
            feed.send(Sent(0, sse.alive(self._clock(), not unavailable)))

    def close(self) -> None:
        """End all streams, so that the server can stop; none begins any more."""
        self._closed = True
        self._end()

    def _end(self) -> None:
        for feed in self._feeds.values():
            feed.send(None)


def _kpis(city: str, changed: list[tuple[int, StoredKpi]]) -> bytes:
    return sse.values("kpis", city, [row for _, row in changed], changed[-1][0])
