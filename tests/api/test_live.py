"""/v1/live: snapshot, changes, resuming, heartbeat, a store that goes away."""

from __future__ import annotations

import asyncio
import gc
import json
import selectors
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.sqlite.store import SqliteStore
from adapters.store import Store
from api.live import QUEUE, Hub
from api.shared_store import SharedStore
from telemetry.errors import Unavailable
from telemetry.kpi_value import KpiQuery, StoredKpi
from telemetry.periods import calendar_period
from tests.api.city import CITY, NOW, TODAY, ZONE, kpi, seed
from tests.api.stores import shaky
from tests.processes import wait_for

Event = dict[str, Any]
DAY = calendar_period("day", TODAY, ZONE)


@contextmanager
def events(url: str, query: str = "", last: int | None = None) -> Iterator[Iterator[Event]]:
    """The stream's events as they come: {event, id, data, comment}."""
    headers = {} if last is None else {"Last-Event-ID": str(last)}
    with httpx.stream("GET", f"{url}/v1/live{query}", headers=headers, timeout=60, trust_env=False) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield parse(answer.iter_lines())


def parse(lines: Iterator[str]) -> Iterator[Event]:
    event: Event = {}
    for line in lines:
        name, _, text = line.partition(": ")
        if line:
            event[name or "comment"] = text
        else:
            event["data"] = json.loads(event["data"])
            yield event
            event = {}


def change(store: Store, value: float, updated: int, code: str = "LOCAL:E:METERED") -> None:
    store.put_kpis([StoredKpi(kpi=kpi(code, "", DAY, value=value), changed=updated, updated=updated)])


@pytest.fixture
def store(tmp_path: Path) -> SqliteStore:
    made = SqliteStore(tmp_path / "live.db")
    seed(made)
    return made


def test_a_client_gets_a_snapshot_then_only_what_changes(store: SqliteStore, serving: Callable[..., str]) -> None:
    with events(serving(store)) as stream:
        first = next(stream)
        assert first["event"] == "snapshot"
        assert first["id"] == str(store.newest_change(CITY))
        assert first["data"]["city"] == CITY
        assert first["data"]["updated"] == "2026-06-18T12:19:56Z"
        assert len(first["data"]["kpis"]) == 66
        assert next(stream)["event"] == "alive"
        change(store, 111.0, NOW)
        second = next(stream)
        assert (second["event"], second["id"]) == ("kpis", str(store.newest_change(CITY)))
        assert [k["value"] for k in second["data"]["kpis"]] == [111.0]
        change(store, 222.0, NOW + 10)
        assert [k["value"] for k in next(stream)["data"]["kpis"]] == [222.0]


def test_a_client_that_comes_back_gets_what_it_missed(store: SqliteStore, serving: Callable[..., str]) -> None:
    url = serving(store)
    seen = store.newest_change(CITY)
    change(store, 5.0, NOW - 60_000)
    with events(url, f"?city={CITY}", last=seen) as stream:
        missed = next(stream)
        assert (missed["event"], missed["id"]) == ("kpis", str(seen + 1))
        assert [k["value"] for k in missed["data"]["kpis"]] == [5.0]


def test_a_client_that_missed_nothing_gets_no_values_again(store: SqliteStore, serving: Callable[..., str]) -> None:
    with events(serving(store), last=store.newest_change(CITY)) as stream:
        assert next(stream)["event"] == "alive"
        change(store, 6.0, NOW + 61_000)
        assert [k["value"] for k in next(stream)["data"]["kpis"]] == [6.0]


@pytest.mark.parametrize("last", ["", "yesterday", "-1", "9" * 30, str(NOW)])
def test_an_id_that_is_not_ours_starts_over(store: SqliteStore, serving: Callable[..., str], last: str) -> None:
    url = serving(store)
    with httpx.stream("GET", f"{url}/v1/live", headers={"Last-Event-ID": last}, timeout=60) as answer:
        assert next(parse(answer.iter_lines()))["event"] == "snapshot"


def test_a_client_that_missed_very_much_starts_over(store: SqliteStore, serving: Callable[..., str]) -> None:
    with events(serving(store), last=1) as stream:
        assert next(stream)["event"] == "snapshot"


def test_a_change_committed_late_is_not_missed(store: SqliteStore, serving: Callable[..., str]) -> None:
    with events(serving(store)) as stream:
        assert [next(stream)["event"], next(stream)["event"]] == ["snapshot", "alive"]
        change(store, 1.0, NOW + 500)
        next(stream)
        change(store, 2.0, NOW + 400, code="LOCAL:EV:ENERGY")
        late = next(stream)
        assert [(k["code"], k["value"]) for k in late["data"]["kpis"]] == [("LOCAL:EV:ENERGY", 2.0)]
        assert late["id"] == str(store.newest_change(CITY))


def test_all_clients_hear_of_a_change(store: SqliteStore, serving: Callable[..., str]) -> None:
    url = serving(store)
    with events(url) as one, events(url) as two:
        for stream in (one, two):
            assert [next(stream)["event"], next(stream)["event"]] == ["snapshot", "alive"]
        assert "cityvitals_api_live_clients 2\n" in httpx.get(f"{url}/metrics").text
        change(store, 7.0, NOW)
        assert next(one)["data"] == next(two)["data"]


def alone(hub: Hub) -> None:
    """Only the test polls."""
    assert hub._task is not None
    hub._task.cancel()


def test_what_changes_between_two_polls_comes_in_one_event_with_the_newest_of_each_value(store: SqliteStore) -> None:
    """A slow server polls less often: changes of one value are merged then, and none of another value is missing."""

    async def watched() -> list[Event]:
        hub = Hub(SharedStore(store), poll_s=3600, beat_s=3600, clock=lambda: NOW)
        stream = await hub.watch(CITY, None)
        alone(hub)
        seen = [await anext(stream), await anext(stream)]  # snapshot and heartbeat
        for value in range(100):
            change(store, float(value), NOW + value)
            if value % 10 == 0:
                change(store, float(value), NOW + value, code="LOCAL:EV:UTILISATION")
        change(store, 5.0, NOW + 100, code="LOCAL:EV:ENERGY")
        await hub._ask(hub._feeds[CITY])
        seen.append(await anext(stream))
        await hub._ask(hub._feeds[CITY])  # nothing else came
        change(store, 6.0, NOW + 101, code="LOCAL:EV:ENERGY")
        await hub._ask(hub._feeds[CITY])
        seen.append(await anext(stream))
        return [event for bytes_ in seen for event in parse(iter(bytes_.decode().splitlines()))]

    _, _, first, second = asyncio.run(watched())
    values = {k["code"]: k["value"] for k in first["data"]["kpis"]}
    assert values == {"LOCAL:E:METERED": 99.0, "LOCAL:EV:UTILISATION": 90.0, "LOCAL:EV:ENERGY": 5.0}
    assert [k["value"] for k in second["data"]["kpis"]] == [6.0]


def test_a_client_too_slow_for_the_feed_is_sent_what_it_missed_when_it_comes_back(store: SqliteStore) -> None:
    async def watched() -> tuple[int, list[float]]:
        hub = Hub(SharedStore(store), poll_s=3600, beat_s=3600, clock=lambda: NOW)
        stream = await hub.watch(CITY, None)
        alone(hub)
        await anext(stream)
        for value in range(QUEUE + 5):  # nobody reads meanwhile
            change(store, float(value), NOW + value)
            change(store, float(value), NOW + value, code=f"LOCAL:EV:{'ENERGY' if value % 2 else 'SESSIONS'}")
            await hub._ask(hub._feeds[CITY])
        events_ = [event async for bytes_ in stream for event in parse(iter(bytes_.decode().splitlines()))]
        last = max(int(event["id"]) for event in events_ if "id" in event)
        again = await hub.watch(CITY, last)
        [missed] = parse(iter((await anext(again)).decode().splitlines()))
        return len(events_), sorted(k["value"] for k in missed["data"]["kpis"])

    received, missed = asyncio.run(watched())
    assert received <= QUEUE + 1
    assert missed == [QUEUE + 3.0, QUEUE + 4.0, QUEUE + 4.0]


def test_a_client_hears_that_the_server_is_alive(store: SqliteStore, serving: Callable[..., str]) -> None:
    with events(serving(store, beat_s=0.05)) as stream:
        beats = [next(stream) for _ in range(4)][1:]
    assert [b["event"] for b in beats] == ["alive"] * 3
    assert beats[0]["comment"] == "heartbeat"
    assert beats[0]["data"] == {"time": "2026-06-18T12:20:00Z", "store": True}


def test_a_client_hears_when_the_store_goes_away_and_comes_back(tmp_path: Path, serving: Callable[..., str]) -> None:
    store = shaky(tmp_path)
    with events(serving(store)) as stream:
        assert [next(stream)["event"], next(stream)["event"]] == ["snapshot", "alive"]
        store.away = True
        assert next(stream)["data"]["store"] is False
        store.away = False
        assert next(stream)["data"]["store"] is True
        change(store, 8.0, NOW)
        assert [k["value"] for k in next(stream)["data"]["kpis"]] == [8.0]


def test_very_many_changes_at_once_come_as_a_snapshot(
    store: SqliteStore, serving: Callable[..., str], tmp_path: Path
) -> None:
    writer = SqliteStore(tmp_path / "live.db")  # a connection of its own sees nothing before the commit
    with events(serving(store)) as stream:
        assert [next(stream)["event"], next(stream)["event"]] == ["snapshot", "alive"]
        rows = [row.kpi for row in store.kpis(KpiQuery(CITY, ["day"]))]
        writer.put_kpis(StoredKpi(kpi=value, changed=NOW, updated=NOW + 5000) for value in rows)
        event = next(stream)
        assert (event["event"], event["id"]) == ("snapshot", str(store.newest_change(CITY)))
        assert len(event["data"]["kpis"]) == 66


def test_where_there_are_several_cities_one_must_be_named(store: SqliteStore, serving: Callable[..., str]) -> None:
    seed(store, "askvik", "Askvik")
    url = serving(store)
    answer = httpx.get(f"{url}/v1/live")
    assert answer.status_code == 422
    assert "askvik, lindhaven" in answer.json()["detail"]
    with events(url, "?city=askvik") as stream:
        next(stream), next(stream)
        change(store, 9.0, NOW)  # of the other city
        store.put_kpis([StoredKpi(kpi=kpi("LOCAL:E:METERED", "", DAY, "askvik", value=3.0), changed=NOW, updated=NOW)])
        assert [(k["city"], k["value"]) for k in next(stream)["data"]["kpis"]] == [("askvik", 3.0)]
    assert httpx.get(f"{url}/v1/live?city=nowhere").status_code == 404


def test_the_server_stops_while_clients_are_connected(store: SqliteStore, serving: Callable[..., str]) -> None:
    stream = events(serving(store))
    next(stream.__enter__())  # left open: stopping must not wait for it


def test_500_clients_at_once_get_the_snapshot_and_health_answers_meanwhile(
    store: SqliteStore, serving: Callable[..., str]
) -> None:
    host, _, port = serving(store).removeprefix("http://").partition(":")
    asked = f"GET /v1/live HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
    with ExitStack() as stack, selectors.DefaultSelector() as selector:
        received: dict[socket.socket, bytes] = {}
        for _ in range(500):
            client = stack.enter_context(socket.create_connection((host, int(port)), timeout=60))
            client.sendall(asked)
            client.setblocking(False)
            received[client] = b""
            selector.register(client, selectors.EVENT_READ)
        assert httpx.get(f"http://{host}:{port}/healthz", timeout=60).status_code == 200

        def all_have_it() -> bool:
            for key, _ in selector.select(0.1):
                client: Any = key.fileobj
                received[client] += client.recv(1 << 20)
            return all(b"event: snapshot" in got and b"event: alive" in got for got in received.values())

        wait_for(all_have_it, 120, "500 snapshots")
        assert "cityvitals_api_live_clients 500\n" in httpx.get(f"http://{host}:{port}/metrics", timeout=60).text
        change(store, 111.0, NOW)
        wait_for(lambda: all_have_it() and all(b"event: kpis" in got for got in received.values()), 120, "500 changes")


def test_a_stream_that_is_never_begun_is_no_client(store: SqliteStore) -> None:
    async def run() -> int:
        hub = Hub(SharedStore(store), 0.02, 15.0, lambda: NOW)
        for _ in range(3):
            await hub.watch(CITY, None)  # its client left before the first byte
        gc.collect()
        return hub.watchers

    assert asyncio.run(run()) == 0


def test_no_stream_begins_once_the_server_stops(store: SqliteStore) -> None:
    async def run() -> list[bytes]:
        hub = Hub(SharedStore(store), 0.02, 15.0, lambda: NOW)
        begun = await hub.watch(CITY, None)
        hub.close()
        with pytest.raises(Unavailable, match="stopping"):
            await hub.watch(CITY, None)
        return [event async for event in begun]

    assert len(asyncio.run(run())) == 2, "what it had to get, and its end"
