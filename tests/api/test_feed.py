"""What the live feed sends to whom: nothing is missed between the snapshot and the first change."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from random import Random
from threading import Lock
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.sqlite.store import SqliteStore
from api.live import QUEUE, Feed, Full, Hub, Sent, Watcher
from api.shared_store import SharedStore
from telemetry.kpi_value import StoredKpi
from telemetry.periods import calendar_period
from tests.api.city import CITY, NOW, TODAY, ZONE, kpi

PERIOD = calendar_period("day", TODAY, ZONE)
CODES = ("LOCAL:E:METERED", "LOCAL:EV:ENERGY", "LOCAL:EV:SESSIONS")


def test_a_client_that_does_not_take_its_events_is_disconnected() -> None:
    feed = Feed(CITY)
    slow: Watcher = asyncio.Queue(QUEUE)
    quick: Watcher = asyncio.Queue(QUEUE)
    feed.watchers = {slow, quick}
    for i in range(QUEUE + 1):
        feed.send(Sent(i, b"%d" % i))
        quick.get_nowait()
    assert feed.watchers == {quick}
    taken = [slow.get_nowait() for _ in range(slow.qsize())]
    assert taken[-1] is None


class Interleaved(SharedStore):
    """A store to which somebody writes while it is read, at any place; `counts` how often it was asked for what."""

    def __init__(self, store: SqliteStore, rng: Random) -> None:
        super().__init__(store)
        self._inner, self._rng, self.writes, self.snapshots = store, rng, 0, 0
        self.current: dict[str, float] = {}
        self._one_writer = Lock()

    def write(self) -> None:
        """One change; the times are of a clock that shows anything. Reads in threads write too, one after another."""
        with self._one_writer:
            self.writes += 1
            code = self._rng.choice(CODES)
            self.current[code] = float(self.writes)
            at = NOW + self._rng.randrange(-3_600_000, 3_600_000)
            self._inner.put_kpis([StoredKpi(kpi=kpi(code, "", PERIOD, value=self.writes), changed=at, updated=at)])

    def changes(self, *arguments: Any) -> list[tuple[int, StoredKpi]]:
        found = super().changes(*arguments)
        if self._rng.random() < 0.4:
            self.write()
        return found

    def newest_change(self, city: str) -> int:
        found = super().newest_change(city)
        self.snapshots += 1
        if self._rng.random() < 0.4:
            self.write()
        return found


async def follow(stream: AsyncIterator[bytes], seen: dict[str, float]) -> None:
    async for event in stream:
        for line in event.splitlines():
            if line.startswith(b"data: ") and b'"kpis"' in line:
                for row in msgspec.json.decode(line[6:])["kpis"]:
                    seen[row["code"]] = row["value"]


async def watched(seed: int, clients: int) -> list[tuple[dict[str, float], dict[str, float]]]:
    """Clients that connect at any time while values change; what each saw in the end, and what is stored."""
    rng = Random(seed)
    store = Interleaved(SqliteStore(Path(":memory:")), rng)
    hub = Hub(store, poll_s=0.001, beat_s=10, clock=lambda: NOW)
    seen: list[dict[str, float]] = []
    tasks = []
    for _ in range(clients):
        for _ in range(rng.randrange(3)):
            store.write()
            await asyncio.sleep(rng.choice([0, 0.001, 0.002]))
        last = rng.choice([None, None, super(Interleaved, store).newest_change(CITY)])
        seen.append({} if last is None else dict(store.current))
        tasks.append(asyncio.create_task(_join(hub, last, seen[-1])))
    store._rng = Random(0)
    store._rng.random = lambda: 1.0  # type: ignore[method-assign] # nothing changes any more
    with suppress(TimeoutError):
        async with asyncio.timeout(10):
            while hub.watchers < clients or not all(one == store.current for one in seen):
                await asyncio.sleep(0.002)
    hub.close()
    await asyncio.gather(*tasks)
    return [(one, store.current) for one in seen]


async def _join(hub: Hub, last: int | None, seen: dict[str, float]) -> None:
    await follow(await hub.watch(CITY, last), seen)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 4))
def test_every_client_has_every_value_in_the_end(seed: int, clients: int) -> None:
    for seen, current in asyncio.run(watched(seed, clients)):
        assert seen == current


def test_one_snapshot_is_made_for_all_who_come_before_the_next_change() -> None:
    async def crowd() -> int:
        store = Interleaved(SqliteStore(Path(":memory:")), Random(1))
        store._rng.random = lambda: 1.0  # type: ignore[method-assign]
        store.write()
        hub = Hub(store, poll_s=10, beat_s=10, clock=lambda: NOW)
        await asyncio.gather(*(hub.watch(CITY, None) for _ in range(500)))
        hub.close()
        return store.snapshots

    assert asyncio.run(crowd()) == 1


def test_more_clients_than_the_limit_are_refused() -> None:
    async def crowd() -> None:
        hub = Hub(SharedStore(SqliteStore(Path(":memory:"))), 10, 10, lambda: NOW, most=3)
        held = [await hub.watch(CITY, None) for _ in range(3)]  # one that nobody holds is not counted
        with pytest.raises(Full):
            await hub.watch(CITY, None)
        assert len(held) == hub.watchers
        hub.close()

    asyncio.run(crowd())
