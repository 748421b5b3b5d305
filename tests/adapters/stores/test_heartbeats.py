"""Heartbeats: what every store does with them."""

from __future__ import annotations

from adapters.store import Heartbeat, Store


def test_the_newest_of_each_role_and_name_comes_back(store: Store) -> None:
    assert store.heartbeats() == []
    store.put_heartbeats([Heartbeat("ingest", "ingest-1", 1_000), Heartbeat("gateway", "gw, 1=x", 2_000)])
    store.put_heartbeats([Heartbeat("ingest", "ingest-1", 60_000), Heartbeat("kpi", "town", 60_000)])
    assert store.heartbeats() == [
        Heartbeat("gateway", "gw, 1=x", 2_000), Heartbeat("ingest", "ingest-1", 60_000),
        Heartbeat("kpi", "town", 60_000),
    ]  # fmt: skip


def test_nothing_to_store_is_no_write(store: Store) -> None:
    store.put_heartbeats([])
    assert store.heartbeats() == []
