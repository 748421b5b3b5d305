"""What a store has not received when a connection is given up never arrives: it would replace newer values."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator
from typing import Any

import pytest

from adapters.influx.http import Connection
from adapters.influx.url import parse
from adapters.postgres import connection as postgres
from telemetry.errors import Unavailable
from tests.postgres import PostgreSQL


@pytest.fixture
def slow() -> Iterator[socket.socket]:
    """A server that accepts, but reads nothing, with room for 2 kB."""
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield listening


@pytest.mark.parametrize("form", ["influxdb://127.0.0.1:{}/city", "influxdb2://127.0.0.1:{}/city?org=o"])
def test_a_write_that_was_given_up_does_not_arrive_later(slow: socket.socket, form: str) -> None:
    store = Connection(parse(form.format(slow.getsockname()[1])), timeout=0.5)
    store._made = True
    with pytest.raises(Unavailable):
        store.write(b"x" * 60_000)
    store.close()
    accepted, _ = slow.accept()
    received = bytearray()
    with accepted, pytest.raises(ConnectionResetError):
        _read_all(accepted, received)
    assert len(received) < 10_000


def _read_all(link: socket.socket, received: bytearray) -> None:
    while part := link.recv(65_536):
        received += part


def test_postgresql_is_notified_of_an_end_in_order_only(
    postgresql: PostgreSQL, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CITYVITALS__STORE__USERNAME", postgresql.user)
    url = f"postgresql://{postgresql.host}:{postgresql.port}/{postgresql.create(f'unsent-{os.getpid()}')}"
    made = postgres.Connection(postgres.parse(url))
    assert made.read("SELECT 1") == [(1,)]
    opened: Any = made._open
    with socket.fromfd(opened.fileno(), socket.AF_UNSPEC, socket.SOCK_STREAM) as same:
        assert _lingers(same) == (1, 0)
        made.close()
        assert _lingers(same) == (0, 0)


def _lingers(link: socket.socket) -> tuple[int, ...]:
    return struct.unpack("ii", link.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8))
