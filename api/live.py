"""Changes of KPI values, pushed to all who watch: one reader of the store for all of them.

    store --(every poll_s, per watched city)--> Feed --> one bounded queue per watcher --> server-sent events

Delivery is at least once: a reading of the store overlaps the one before, because a value written first may be
committed second; what was sent already is left out. Values are upserts, so seeing one twice does no harm.
A watcher too slow to take the events loses its connection, comes back with Last-Event-ID, and resumes.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable

from anyio import to_thread

from api import sse
from api.queries import newest
from api.shared_store import SharedStore
from telemetry.errors import Unavailable
from telemetry.kpi_value import KpiValue, StoredKpi

OVERLAP_MS = 2000
MOST_CHANGES = 2000
QUEUE = 64

log = logging.getLogger(__name__)

Watcher = asyncio.Queue[bytes | None]
Identity = tuple[str, str, str, str, int]


class Feed:
    """The watchers of one city, and what they have been sent lately."""

    def __init__(self, city: str, since: int) -> None:
        self.city = city
        self.since = since
        self.watchers: set[Watcher] = set()
        self._sent: dict[Identity, tuple[int, KpiValue]] = {}

    def fresh(self, rows: list[StoredKpi]) -> list[StoredKpi]:
        """Those of `rows` that were not sent before; remembers them."""
        out = [row for row in rows if self._sent.get(row.kpi.identity, (0, None))[1] != row.kpi]
        self.since = max((row.updated for row in rows), default=self.since)
        self._sent.update((row.kpi.identity, (row.updated, row.kpi)) for row in out)
        self._sent = {key: sent for key, sent in self._sent.items() if sent[0] > self.since - OVERLAP_MS}
        return out

    def send(self, event: bytes | None) -> None:
        """Hand an event to every watcher; None ends them. A watcher with a full queue is let go."""
        for watcher in list(self.watchers):
            if watcher.full():
                self.watchers.discard(watcher)
                watcher.get_nowait()
                watcher.put_nowait(None)
            else:
                watcher.put_nowait(event)


class Hub:
    """Reads the store once per period for every city somebody watches; rests while nobody does."""

    def __init__(self, store: SharedStore, poll_s: float, beat_s: float, clock: Callable[[], int]) -> None:
        self._store, self._poll_s, self._beat_s, self._clock = store, poll_s, beat_s, clock
        self._feeds: dict[str, Feed] = {}
        self._task: asyncio.Task[None] | None = None
        self._away = False

    @property
    def watchers(self) -> int:
        """How many clients are connected."""
        return sum(len(feed.watchers) for feed in self._feeds.values())

    async def watch(self, city: str, last_id: int | None) -> AsyncIterator[bytes]:
        """The events for one client, without end. Raises Unavailable at once where the store is away.

        Begins with a snapshot, or after a reconnect (`last_id`) with what has changed since.
        """
        first, since, rows = await to_thread.run_sync(self._beginning, city, last_id)
        if city not in self._feeds:
            self._feeds[city] = Feed(city, since)
            self._feeds[city].fresh(rows)
        feed = self._feeds[city]
        watcher: Watcher = asyncio.Queue(QUEUE)
        feed.watchers.add(watcher)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._poll())
        return self._events(feed, watcher, first)

    async def _events(self, feed: Feed, watcher: Watcher, first: list[bytes]) -> AsyncIterator[bytes]:
        try:
            for known in first:
                yield known
            while (event := await self._next(watcher)) is not None:
                yield event
        finally:
            feed.watchers.discard(watcher)

    async def _next(self, watcher: Watcher) -> bytes | None:
        """The next event; a heartbeat when there is none for a while."""
        try:
            async with asyncio.timeout(self._beat_s):
                return await watcher.get()
        except TimeoutError:
            return sse.alive(self._clock(), not self._away)

    def _beginning(self, city: str, last_id: int | None) -> tuple[list[bytes], int, list[StoredKpi]]:
        """The first events for a client, the moment up to which they tell everything, and the values in them."""
        alive = sse.alive(self._clock(), available=True)
        if last_id is not None:
            changed = self._store.kpis_changed(city, last_id - OVERLAP_MS)
            if len(changed) <= MOST_CHANGES:
                since = max((row.updated for row in changed), default=last_id)
                return ([sse.values("kpis", city, changed, since)] if changed else []) + [alive], since, changed
        since = max((row.updated for row in newest(self._store, city)), default=0)
        known = self._store.kpis_changed(city, since - OVERLAP_MS)
        rows = newest(self._store, city)  # read after `known`, so that all of `known` is in it or older than it
        return [sse.values("snapshot", city, rows, since), alive], since, known + rows

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
        try:
            rows = await to_thread.run_sync(self._store.kpis_changed, feed.city, feed.since - OVERLAP_MS)
            fresh = feed.fresh(rows)
            self._tell(away=False)
        except Unavailable as error:
            self._tell(away=True, why=str(error))
        else:
            await self._send(feed, fresh)

    async def _send(self, feed: Feed, fresh: list[StoredKpi]) -> None:
        """The changes; a new snapshot where they are very many, as after a backfill."""
        if len(fresh) > MOST_CHANGES:
            rows = await to_thread.run_sync(newest, self._store, feed.city)
            feed.send(sse.values("snapshot", feed.city, rows, feed.since))
        elif fresh:
            feed.send(sse.values("kpis", feed.city, fresh, feed.since))

    def _tell(self, away: bool, why: str = "") -> None:
        """Tell every watcher when the store goes away or comes back; log it once per change."""
        if away == self._away:
            return
        self._away = away
        log.warning("The store is away: %s", why) if away else log.info("The store is back.")
        for feed in self._feeds.values():
            feed.send(sse.alive(self._clock(), not away))

    def close(self) -> None:
        """End all streams, so that the server can stop."""
        for feed in self._feeds.values():
            feed.send(None)
