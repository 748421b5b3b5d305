"""OCPP: stations simulated with the client side of the library; sessions and energy against an independent sum."""

from __future__ import annotations

import asyncio
import importlib
import json
import socket
import ssl
import threading
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import websockets
import websockets.sync.client
from ocpp.v16 import ChargePoint as Station16
from ocpp.v201 import ChargePoint as Station201

from adapters.sqlite.transactions import Transactions
from edge.tools import enrol
from gateway.doors.inbox import Inbox
from gateway.doors.ocpp import CALLS, OcppDoor
from gateway.doors.ocpp_calls import Station
from gateway.senders.budget import Pace
from registry.settings import OcppSettings
from telemetry.errors import Rejected
from tests.gateway.doors.door_bench import DoorBench, recent
from tests.processes import wait_for
from tests.replay.recorded import DATA

# As Any: these tests write the words of the protocol, where the library's types ask for its enumerations.
call16: Any = importlib.import_module("ocpp.v16.call")
call201: Any = importlib.import_module("ocpp.v201.call")
BASIC = {"Authorization": "Basic Y3AxOnNlY3JldA=="}  # cp1:secret


async def with_station(url: str, name: str, version: str, work: Any, **options: Any) -> Any:
    """Run `work(station)` with a connected station of the library."""
    made: Any = {"ocpp1.6": Station16, "ocpp2.0.1": Station201}[version]
    async with websockets.connect(f"{url}/{name}", subprotocols=[version], **options) as link:  # type: ignore[list-item]
        station = made(name, link)
        listening = asyncio.create_task(station.start())
        try:
            return await asyncio.wait_for(work(station), 60)
        finally:
            listening.cancel()


def rows(bench: DoorBench, quantity: str) -> list[tuple[str, float, str]]:
    return [(device, value, t) for device, name, value, t in bench.rows() if name == quantity]


def test_a_session_of_1_6_has_the_energy_of_its_registers(tmp_path: Path) -> None:
    async def charge(station: Station16) -> None:
        boot = await station.call(call16.BootNotification("model", "vendor"))
        assert boot.status == "Accepted"
        assert boot.current_time.endswith("Z")
        started = await station.call(call16.StartTransaction(1, "CARD-7", 1000, recent(600)))
        await station.call(call16.StatusNotification(1, "NoError", "Charging", timestamp=recent(590)))
        sample = [{"value": " 2500", "measurand": "Energy.Active.Import.Register", "unit": "Wh"}]
        await station.call(call16.MeterValues(1, [{"timestamp": recent(300), "sampledValue": sample}]))
        await station.call(call16.StopTransaction(41330, recent(0), started.transaction_id))

    with DoorBench(tmp_path, {"family": "ocpp"}) as bench:
        asyncio.run(with_station(bench.station_url, "cp1", "ocpp1.6", charge))
        assert [(d, v) for d, v, _ in rows(bench, "session_energy")] == [("cp1-1", 40.33)]
        assert sum(v for _, v, _ in rows(bench, "connected_time")) == pytest.approx(600, abs=2)
        assert [(d, v) for d, v, _ in rows(bench, "connector_state")] == [("cp1-1", 2.0)]
        assert [(d, v) for d, v, _ in rows(bench, "energy_total")] == [("cp1-1", 2.5)]
    held = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"CARD-7" not in held, "the card must not be on disk"


def test_a_transaction_of_2_0_1_begun_offline_and_sent_in_another_order(tmp_path: Path) -> None:
    def register(context: str, value: float, seconds: float) -> list[dict[str, Any]]:
        sample = {"value": value, "context": context, "unitOfMeasure": {"unit": "Wh", "multiplier": 3}}
        return [{"timestamp": recent(seconds), "sampledValue": [sample]}]

    async def charge(station: Station201) -> None:
        await station.call(call201.BootNotification({"model": "m", "vendorName": "v"}, "PowerUp"))
        ended = call201.TransactionEvent(
            "Ended", recent(100), "EVDeparted", 2, {"transactionId": "t-1"}, offline=True,
            evse={"id": 2}, meter_value=register("Transaction.End", 17.5, 100),
        )  # fmt: skip
        started = call201.TransactionEvent(
            "Started", recent(900), "CablePluggedIn", 0, {"transactionId": "t-1"}, offline=True,
            evse={"id": 2}, meter_value=register("Transaction.Begin", 10.0, 900),
        )  # fmt: skip
        for event in (ended, started, started, ended):  # and both twice
            await station.call(event)

    with DoorBench(tmp_path, {"family": "ocpp"}) as bench:
        asyncio.run(with_station(bench.station_url, "cp1", "ocpp2.0.1", charge))
        assert [(d, v) for d, v, _ in rows(bench, "session_energy")] == [("cp1-2", 7.5)]
        assert sum(v for _, v, _ in rows(bench, "connected_time")) == pytest.approx(800, abs=2)


def test_the_same_start_gets_the_same_number_and_counts_once(tmp_path: Path) -> None:
    begin = call16.StartTransaction(1, "card", 0, recent(60))

    async def start(station: Station16) -> int:
        return int((await station.call(begin)).transaction_id)

    async def stop(station: Station16, number: int) -> None:
        for _ in range(3):
            await station.call(call16.StopTransaction(5000, recent(1), number))

    with DoorBench(tmp_path, {"family": "ocpp"}) as bench:
        first = asyncio.run(with_station(bench.station_url, "cp1", "ocpp1.6", start))
    with DoorBench(tmp_path, {"family": "ocpp"}) as bench:  # the gateway started again in between
        again = asyncio.run(with_station(bench.station_url, "cp1", "ocpp1.6", start))
        assert again == first
        asyncio.run(with_station(bench.station_url, "cp1", "ocpp1.6", lambda s: stop(s, again)))
        assert [v for _, v, _ in rows(bench, "session_energy")] == [5.0]


def test_while_the_disk_is_away_there_is_no_answer(tmp_path: Path) -> None:
    async def report(station: Station16) -> None:
        await station.call(call16.StatusNotification(1, "NoError", "Available", timestamp=recent(5)))

    with DoorBench(tmp_path, {"family": "ocpp"}) as bench:
        bench.away.set()
        with pytest.raises((TimeoutError, asyncio.TimeoutError, websockets.ConnectionClosed)):
            asyncio.run(asyncio.wait_for(with_station(bench.station_url, "cp1", "ocpp1.6", report), 3))
        assert bench.rows() == []


def test_the_door_ends_beside_a_station_that_no_longer_reads(tmp_path: Path) -> None:
    with DoorBench(tmp_path, {"family": "ocpp"}) as bench:
        place = urlsplit(bench.station_url)
        with socket.create_connection((place.hostname, place.port)) as link:  # it is frozen: nothing answers a close
            link.sendall(
                b"GET /cp1 HTTP/1.1\r\nHost: gateway\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                b"Sec-WebSocket-Protocol: ocpp1.6\r\n\r\n"
            )
            assert link.recv(12) == b"HTTP/1.1 101"
            door: Any = bench.ocpp
            door.stop()  # raises nothing
            with socket.socket() as taken:
                assert taken.connect_ex((place.hostname, place.port)) != 0, "it still listens"


def test_a_door_that_was_never_started_ends(tmp_path: Path) -> None:
    door = OcppDoor(OcppSettings(port=0), Inbox(), tmp_path / "open.db", lambda: 0)
    door.stop()  # raises nothing, or it would hide why the door before it could not listen


def test_a_station_without_its_password_is_refused(tmp_path: Path) -> None:
    async def nothing(_: Station16) -> str:
        return "in"

    settings = {"port": 0, "passwords": {"cp1": "secret"}}
    with DoorBench(tmp_path, {"family": "ocpp"}, ocpp=settings) as bench:
        for name, headers in (("cp1", {}), ("cp2", BASIC), ("cp1", {"Authorization": "Basic Y3AxOnh4"})):
            with pytest.raises(websockets.InvalidStatus, match="401"):
                asyncio.run(with_station(bench.station_url, name, "ocpp1.6", nothing, additional_headers=headers))
        good = with_station(bench.station_url, "cp1", "ocpp1.6", nothing, additional_headers=BASIC)
        assert asyncio.run(good) == "in"


def test_a_certificate_opens_the_door_for_its_own_station_only(tmp_path: Path) -> None:
    now = enrol.utc_now()
    enrol.make_authorities(tmp_path / "pki", "town", now)
    enrol.enrol(tmp_path / "pki", "broker", "edge", now, hosts=["127.0.0.1"])
    enrol.enrol(tmp_path / "pki", "device", "cp1", now)
    issued = tmp_path / "pki" / "issued"
    shown = ssl.create_default_context(cafile=str(tmp_path / "pki" / "infrastructure-ca.crt"))
    shown.load_cert_chain(issued / "cp1.crt", issued / "cp1.key")
    settings = OcppSettings(
        port=0, cert=issued / "edge.crt", key=issued / "edge.key", client_ca=tmp_path / "pki" / "devices-ca.crt"
    )
    door = OcppDoor(settings, Inbox(), tmp_path / "open.db", lambda: 0)
    door.start()

    async def nothing(_: Station16) -> str:
        return "in"

    try:
        url = f"wss://127.0.0.1:{door.port}"
        assert asyncio.run(with_station(url, "cp1", "ocpp1.6", nothing, ssl=shown)) == "in"
        with pytest.raises(websockets.InvalidStatus, match="401"):
            asyncio.run(with_station(url, "cp2", "ocpp1.6", nothing, ssl=shown))
    finally:
        door.stop()


def test_a_station_that_connects_again_replaces_its_earlier_connection(tmp_path: Path) -> None:
    async def twice(url: str) -> None:
        kind: Any = ["ocpp1.6"]
        async with websockets.connect(f"{url}/cp1", subprotocols=kind) as first:
            await first.send('[2,"1","Heartbeat",{}]')
            await first.recv()
            async with websockets.connect(f"{url}/cp1", subprotocols=kind) as second:
                await second.send('[2,"2","Heartbeat",{}]')
                assert json.loads(await second.recv())[:2] == [3, "2"]
                with pytest.raises(websockets.ConnectionClosed):
                    await asyncio.wait_for(first.recv(), 20)

    with DoorBench(tmp_path, {"family": "ocpp"}) as bench:
        asyncio.run(twice(bench.station_url))


def test_a_client_that_is_no_station_fills_no_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    settings = {"port": 0, "passwords": {"cp1": "secret"}}
    with DoorBench(tmp_path, {"family": "ocpp"}, ocpp=settings) as bench:
        place = urlsplit(bench.station_url)
        upgrade = b"GET /x HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        upgrade += b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        for number in range(140):
            with socket.create_connection((place.hostname or "", place.port or 0), 20) as link:
                link.sendall(upgrade if number % 2 else b"nonsense\r\n\r\n")
                assert not number % 2 or b"401" in link.recv(100)
    lines = [r.getMessage() for r in caplog.records if "station" in r.getMessage() or r.name.startswith("websockets")]
    assert len(lines) == 51
    assert lines[-1].startswith("more such lines")


def test_one_address_holds_a_quarter_of_the_connections(tmp_path: Path) -> None:
    with DoorBench(tmp_path, {"family": "ocpp"}, ocpp={"port": 0, "max_connections": 8}) as bench:
        place = urlsplit(bench.station_url)
        there = (place.hostname or "", place.port or 0)
        greedy = [socket.create_connection(there, 20, source_address=("127.0.0.2", 0)) for _ in range(3)]
        assert greedy[2].recv(1) == b"", "the third is closed"
        with websockets.sync.client.connect(f"{bench.station_url}/cp1", subprotocols=["ocpp1.6"]) as station:  # type: ignore[list-item]
            station.send('[2,"1","Heartbeat",{}]')
            assert json.loads(station.recv(20))[0] == 3
        for link in greedy:
            link.close()


def test_a_station_that_calls_without_end_is_slowed_down() -> None:
    pace, rate = Pace(CALLS, 0.0), CALLS
    assert [pace.wait_s(0.0) for _ in range(rate.burst)] == [0.0] * rate.burst
    now = 0.0
    for _ in range(100):
        now += pace.wait_s(now)
    assert now == pytest.approx(100 / rate.per_second)
    assert pace.wait_s(now + 3600) == 0.0


@pytest.mark.parametrize("version", ["ocpp1.6", "ocpp2.0.1"])
def test_ids_of_transactions_have_a_length(tmp_path: Path, version: str) -> None:
    opened = Transactions(tmp_path / "open.db")
    station = Station("cp1", version, opened, lambda: "2026-03-01T00:00:00Z", 300)
    call: tuple[str, dict[str, Any]] = ("StopTransaction", {"transactionId": "9" * 65})
    if version == "ocpp2.0.1":
        call = ("TransactionEvent", {"transactionInfo": {"transactionId": "9" * 65}})
    with pytest.raises(Rejected, match="65 characters"):
        station.answer(*call)
    opened.close()


def test_the_recorded_messages_of_a_real_station_give_its_energy(tmp_path: Path) -> None:
    vectors = json.loads((DATA / "device_payloads" / "vectors.json").read_text())
    recorded = vectors["ocpp16_united_chargers_capture"]["messages"]

    async def replay(url: str) -> None:
        number = 1
        async with websockets.connect(f"{url}/cp9", subprotocols=["ocpp1.6"]) as link:  # type: ignore[list-item]
            for kind, identity, action, body in recorded:
                if "transactionId" in body:
                    body["transactionId"] = number
                await link.send(json.dumps([kind, identity, action, body]))
                answer = json.loads(await asyncio.wait_for(link.recv(), 20))
                assert answer[:2] == [3, identity]
                number = answer[2].get("transactionId", number)

    with DoorBench(tmp_path, {"family": "ocpp"}) as bench:
        asyncio.run(replay(bench.station_url))
        [(device, energy, _)] = rows(bench, "session_energy")
        assert device == "cp9-1"
        assert energy == pytest.approx(40.33)
        assert rows(bench, "connected_time") == [], "it ended before it began: a clock was set"
        assert any("ends before it starts" in reason for reason in bench.kept())


def test_a_station_that_waits_for_no_answer_is_read_two_messages_ahead(tmp_path: Path) -> None:
    inbox, vendor = Inbox(), {"vendorId": "v", "data": "x" * 300_000}
    first = {"connectorId": 1, "errorCode": "NoError", "status": "Available", "timestamp": recent(5)}
    calls = [[2, "0", "StatusNotification", first], *([2, str(n), "DataTransfer", vendor] for n in range(1, 20))]
    door = OcppDoor(OcppSettings(port=0), inbox, tmp_path / "open.db", lambda: 0)
    door.start()
    try:
        url = f"ws://127.0.0.1:{door.port}/cp1"
        with websockets.sync.client.connect(url, subprotocols=["ocpp1.6"]) as station:  # type: ignore[list-item]

            def send() -> None:
                for call in calls:
                    station.send(json.dumps(call))

            sender = threading.Thread(target=send)
            sender.start()
            wait_for(lambda: inbox.waiting, what="the first call to wait for the disk")
            read = door.connected["cp1"].recv_messages
            wait_for(lambda: read.paused or len(read.frames) > 10, what="the door to read no further")
            assert len(read.frames) <= 3
            Inbox.answer(inbox.take(), stored=True)
            assert [json.loads(station.recv(20))[1] for _ in calls] == [call[1] for call in calls]
            sender.join(20)
    finally:
        door.stop()
