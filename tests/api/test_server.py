"""Taking the port, in words where that fails."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from adapters.sqlite.store import SqliteStore
from api.server import ApiServer, listen, serve
from api.settings import ApiSettings
from telemetry.errors import UsageError


def test_a_taken_port_is_refused_with_a_sentence_before_anything_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(UsageError, match=f"Port {port} on 127.0.0.1 is used by another program; .*--port"):
            serve(ApiSettings(port=port), SqliteStore(tmp_path / "a.db"))


def test_an_address_of_another_machine_is_refused_with_a_sentence() -> None:
    with pytest.raises(UsageError, match=r"cannot listen on 192\.0\.2\.1, port 0: .*Check --host and --port"):
        listen("192.0.2.1", 0)


@pytest.mark.parametrize("port", [-1, 65536, 70000])
def test_a_number_that_is_no_port_is_refused_with_a_sentence(port: int) -> None:
    with pytest.raises(UsageError, match=f"{port} is not a valid port; choose a --port from 1 to 65535"):
        listen("127.0.0.1", port)


def test_the_address_is_known_before_the_server_runs(tmp_path: Path) -> None:
    server = ApiServer(ApiSettings(port=0), SqliteStore(tmp_path / "a.db"))
    assert server.url.startswith("http://127.0.0.1:")
    assert not server.url.endswith(":0")
