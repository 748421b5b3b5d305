"""Bounds of connections: of one address, of all, and in time; the HTTP servers keep them."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
import uvicorn

from adapters.connections import Connections, EndingServer, bounded_http
from api.server import listen
from tests.processes import wait_for


def test_one_address_holds_a_quarter_and_all_together_the_whole() -> None:
    counted = Connections(8, ["192.0.2.9"])
    assert [counted.add("192.0.2.1") for _ in range(3)] == [True, True, False]
    assert [counted.add("2001:db8::1"), counted.add("2001:db8::2"), counted.add("2001:db8::3")] == [True, True, False]
    counted.remove("2001:db8::3")
    counted.remove("192.0.2.1")
    assert [counted.add("192.0.2.9") for _ in range(5)] == [True, True, True, True, False]


def test_ipv4_inside_ipv6_is_an_address_of_its_own() -> None:
    counted = Connections(8, ["192.0.2.9"])
    assert [counted.add("::ffff:192.0.2.1") for _ in range(3)] == [True, True, False]
    assert counted.add("::ffff:192.0.2.2")
    counted.remove("::ffff:192.0.2.1")
    assert [counted.add(f"::ffff:{address}") for address in ("192.0.2.9", "127.0.0.1")] == [True, True]


def test_what_is_closed_leaves_nothing_behind() -> None:
    counted, rng, held = Connections(100), Random(5), list[str]()
    for _ in range(5000):
        if held and rng.random() < 0.5:
            counted.remove(held.pop(rng.randrange(len(held))))
        else:
            held.append(f"192.0.2.{rng.randrange(20)}")
            counted.add(held[-1])
    for address in held:
        counted.remove(address)
    assert counted.add("192.0.2.1")
    counted.remove("192.0.2.1")
    assert not counted._open


async def _answer(scope: dict[str, str], receive: object, send: object) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})  # type: ignore[operator]
    await send({"type": "http.response.body", "body": b"ok"})  # type: ignore[operator]


@contextmanager
def _served(
    most: int, slow_s: float, answer: Any = _answer, counted: Connections | None = None
) -> Iterator[tuple[str, int]]:
    made = listen("127.0.0.1", 0)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
    options = uvicorn.Config(
        answer,
        log_level="critical",
        lifespan="off",
        http=bounded_http(counted or Connections(most), slow_s),
    )
    server = uvicorn.Server(options)
    running = threading.Thread(target=lambda: asyncio.run(server.serve([made])), daemon=True)
    running.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield made.getsockname()
    finally:
        server.should_exit = True
        running.join(10)


def test_an_address_that_opens_connections_without_end_leaves_room_for_others() -> None:
    with _served(40, 30.0) as place:
        greedy = [socket.create_connection(place, 20, source_address=("127.0.0.2", 0)) for _ in range(60)]
        closed = 0
        for link in greedy[10:]:
            closed += link.recv(1) == b""
        assert closed == 50
        assert httpx.get(f"http://{place[0]}:{place[1]}/").text == "ok"
        for link in greedy:
            link.close()


@pytest.mark.parametrize("sent", [b"", b"GET / HTT", b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / H"])
def test_a_connection_without_a_whole_request_is_closed(sent: bytes) -> None:
    with _served(40, 0.3) as place, socket.create_connection(place, 20) as link:
        link.sendall(sent)
        seen = b""
        while part := link.recv(4096):
            seen += part
        assert seen.count(b"200 OK") == sent.count(b"\r\n\r\n")


def test_a_client_that_reads_nothing_of_its_answer_is_disconnected_and_a_slow_one_is_not() -> None:
    body = bytes(8 << 20)

    async def answer(scope: dict[str, str], receive: object, send: object) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})  # type: ignore[operator]
        await send({"type": "http.response.body", "body": body})  # type: ignore[operator]

    counted = Connections(40)
    with _served(40, 0.3, answer, counted) as place, socket.create_connection(place, 20) as silent:
        silent.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        wait_for(lambda: counted._open.total() == 1, what="the connection")
        wait_for(lambda: counted._open.total() == 0, what="its end")
        with socket.create_connection(place, 20) as slow:
            slow.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            seen = 0
            while part := slow.recv(64 << 10):
                seen += len(part)
                time.sleep(0.01)
            assert seen > len(body)


def test_a_connection_that_is_made_while_the_server_ends_does_not_hold_it() -> None:
    closed = list[str]()

    class Late:
        """Known to the server after it has asked all connections to close."""

        def __init__(self, server: EndingServer) -> None:
            state: Any = server.server_state
            self._open = state.connections
            self._open.add(self)
            self.transport = SimpleNamespace(is_closing=lambda: False, abort=lambda: closed.append("aborted"))

        def shutdown(self) -> None:
            closed.append("asked")
            self._open.discard(self)

    class Busy(EndingServer):
        async def _wait_tasks_to_complete(self) -> None:
            Late(self)
            await super()._wait_tasks_to_complete()

    server = Busy(uvicorn.Config(_answer, log_level="critical", lifespan="off", timeout_graceful_shutdown=60))
    running = threading.Thread(target=lambda: asyncio.run(server.serve([listen("127.0.0.1", 0)])), daemon=True)
    running.start()
    wait_for(lambda: server.started, what="the server")
    server.should_exit = True
    running.join(50)
    assert closed == ["asked"]
