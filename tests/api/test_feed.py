"""What a feed has sent, and whom it lets go."""

from __future__ import annotations

import asyncio

from api.live import OVERLAP_MS, QUEUE, Feed, Watcher
from telemetry.kpi_value import StoredKpi
from telemetry.periods import calendar_period
from tests.api.city import CITY, NOW, TODAY, ZONE, kpi

PERIOD = calendar_period("day", TODAY, ZONE)


def stored(value: float, updated: int) -> StoredKpi:
    return StoredKpi(kpi=kpi("LOCAL:E:METERED", "", PERIOD, value=value), changed=updated, updated=updated)


def test_what_was_sent_is_not_fresh_again_until_it_changes() -> None:
    feed = Feed(CITY, 0)
    assert len(feed.fresh([stored(1.0, NOW)])) == 1
    assert feed.fresh([stored(1.0, NOW)]) == []
    assert len(feed.fresh([stored(2.0, NOW)])) == 1


def test_only_the_overlap_is_remembered() -> None:
    feed = Feed(CITY, 0)
    feed.fresh([stored(1.0, NOW)])
    other = StoredKpi(kpi=kpi("LOCAL:EV:ENERGY", "", PERIOD), changed=NOW, updated=NOW + OVERLAP_MS)
    feed.fresh([other])
    assert feed.since == NOW + OVERLAP_MS
    assert len(feed.fresh([stored(1.0, NOW)])) == 1


def test_a_client_that_does_not_take_its_events_is_let_go() -> None:
    feed = Feed(CITY, 0)
    slow: Watcher = asyncio.Queue(QUEUE)
    quick: Watcher = asyncio.Queue(QUEUE)
    feed.watchers = {slow, quick}
    for i in range(QUEUE + 1):
        feed.send(b"%d" % i)
        quick.get_nowait()
    assert feed.watchers == {quick}
    taken = [slow.get_nowait() for _ in range(slow.qsize())]
    assert taken[-1] is None
