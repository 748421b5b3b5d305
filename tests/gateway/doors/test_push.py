"""HTTP push: 2xx once the readings are on disk, 503 while they cannot be, tokens, limits."""

from __future__ import annotations

import gzip
import json
import socket
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.doors import push
from gateway.doors.push import PushDoor
from registry.settings import PushSettings
from telemetry.errors import UsageError
from tests.gateway.doors.door_bench import DoorBench
from tests.processes import wait_for

AIRROHR = {
    "software_version": "NRZ-2024-135",
    "sensordatavalues": [{"value_type": "P1", "value": "12.30"}, {"value_type": "P2", "value": "5.10"}],
}


def values(bench: DoorBench) -> set[tuple[str, str, float]]:
    return {row[:3] for row in bench.rows()}


def test_what_a_sensor_pushes_is_on_disk_when_it_has_its_answer(tmp_path: Path) -> None:
    with DoorBench(tmp_path, {"family": "sensor_community"}) as bench:
        answer = httpx.post(f"{bench.url}/push/sensor_community", json=AIRROHR, headers={"X-Sensor": "esp8266-1"})
        assert answer.status_code == 200
        assert values(bench) == {("esp8266-1", "pm10", 12.3), ("esp8266-1", "pm2_5", 5.1)}


def test_while_the_disk_is_away_the_sender_is_asked_to_send_again(tmp_path: Path) -> None:
    with DoorBench(tmp_path, {"family": "sensor_community"}) as bench:
        place = f"{bench.url}/push/sensor_community/esp8266-1"
        bench.away.set()
        refused = httpx.post(place, json=AIRROHR)
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "10")
        assert bench.rows() == []
        bench.away.clear()
        wait_for(lambda: httpx.post(place, json=AIRROHR).status_code == 200, 30, "the push is taken again")
        assert len(values(bench)) == 2


def test_a_token_is_required_where_the_source_has_one(tmp_path: Path) -> None:
    with DoorBench(tmp_path, {"family": "ecowitt", "token": "secret", "devices": {"AA": "roof"}}) as bench:
        body = b"PASSKEY=AA&stationtype=x&dateutc=now&tempf=50"
        place = f"{bench.url}/push/ecowitt"
        assert httpx.post(place, content=body).status_code == 401
        assert httpx.post(place, content=body, headers={"Authorization": "Bearer wrong"}).status_code == 401
        assert httpx.post(place, content=body, headers={"Authorization": "Bearer secret"}).status_code == 200
        assert httpx.post(place, content=body, auth=("any", "secret")).status_code == 200
        assert httpx.post(f"{place}?token=secret", content=body).status_code == 200
        assert values(bench) == {("roof", "temperature", 10.0)}


def test_line_protocol_is_written_as_to_influxdb(tmp_path: Path) -> None:
    with DoorBench(tmp_path, {"family": "line_protocol"}) as bench:
        assert httpx.get(f"{bench.url}/ping").status_code == 204
        line = b"air,device=d1 pm2_5=7.5 1795168800"
        answer = httpx.post(f"{bench.url}/api/v2/write?org=o&bucket=b&precision=s", content=line)
        packed = httpx.post(
            f"{bench.url}/write", content=gzip.compress(b"air,device=d1 pm10=9"), headers={"Content-Encoding": "gzip"}
        )
        assert (answer.status_code, packed.status_code) == (204, 204)
        refused = [reason for reason in bench.kept() if "future" in reason]
        stored = values(bench)
        assert ("d1", "pm10", 9.0) in stored
        assert ("d1", "pm2_5", 7.5) in stored or refused  # the line is of 2026-11-20


def test_a_long_body_and_an_unknown_path_are_refused(tmp_path: Path) -> None:
    with DoorBench(tmp_path, {"family": "airgradient"}, push={"port": 0, "max_body_kb": 1}) as bench:
        assert httpx.post(f"{bench.url}/push/other", content=b"{}").status_code == 404
        assert httpx.post(f"{bench.url}/push/airgradient", content=b" " * 2000).status_code == 413


def test_a_body_that_cannot_be_read_is_kept_and_acknowledged(tmp_path: Path) -> None:
    with DoorBench(tmp_path, {"family": "airgradient"}) as bench:
        assert httpx.post(f"{bench.url}/push/airgradient", content=b"{nonsense").status_code == 200
        assert any("not JSON" in reason for reason in bench.kept())


def test_a_webhook_of_the_things_stack(tmp_path: Path) -> None:
    body = {
        "end_device_ids": {"device_id": "aq-17"},
        "uplink_message": {"received_at": "2026-11-20T10:00:00Z", "decoded_payload": {"pm2_5": 7.5}},
    }
    with DoorBench(tmp_path, {"family": "the_things_stack"}) as bench:
        answer = httpx.post(f"{bench.url}/push/the_things_stack", content=json.dumps(body))
        assert answer.status_code == 200
        assert bench.rows() == [("aq-17", "pm2_5", 7.5, "2026-11-20T10:00:00Z")]


def test_a_source_without_a_token_is_not_open_to_other_machines(tmp_path: Path) -> None:
    with DoorBench(tmp_path, {"family": "airgradient"}) as bench:
        sources = bench.push._known  # type: ignore[attr-defined]
        known = [source for _, source in sources]
        with pytest.raises(UsageError, match="token"):
            PushDoor(PushSettings(host="0.0.0.0", port=0), known, bench.push._inbox)  # type: ignore[attr-defined]
        taken = PushDoor(PushSettings(port=bench.push.port), known, bench.push._inbox)  # type: ignore[attr-defined]
        with pytest.raises(UsageError, match="port"):
            taken.start()


def test_bodies_that_arrive_at_the_same_time_are_bounded_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(push, "_MOST_BYTES", 100_000)
    with DoorBench(tmp_path, {"family": "sensor_community"}) as bench, ExitStack() as stack:
        host, _, port = bench.url.removeprefix("http://").partition(":")
        head = b"POST /push/sensor_community HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n"
        slow = [stack.enter_context(socket.create_connection((host, int(port)), 60)) for _ in range(2)]
        slow[0].sendall(head + bytes(59_000))
        door: Any = bench.push
        wait_for(lambda: door._receiving == 59_000, what="the first body")
        slow[1].sendall(head + bytes(59_000))
        assert slow[1].recv(4096).startswith(b"HTTP/1.1 503 ")
        wait_for(lambda: door._receiving == 59_000, what="the second to be forgotten")
        slow[0].sendall(bytes(1_000))
        assert slow[0].recv(4096).startswith(b"HTTP/1.1 200 ")  # kept as a reject
        assert door._receiving == 0
