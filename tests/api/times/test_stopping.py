"""The API ends in bounded time, whatever requests and clients do."""

from __future__ import annotations

import signal
import socket
import sys
import threading
from pathlib import Path

import httpx

from adapters.sqlite.store import SqliteStore
from api.server import ApiServer
from api.settings import ApiSettings
from tests.api.city import NOW, seed
from tests.processes import busy, end, free_port, start, wait_for

HIGH_WATER = 64 << 10  # bytes, above which a transport lets its writer wait


def test_a_client_that_reads_nothing_does_not_keep_the_server_from_ending(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "a.db")
    seed(store)
    server = ApiServer(ApiSettings(port=0), store, lambda: NOW)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_for(lambda: server.started, what="the API to start")

    def unread() -> int:
        return sum(connection.transport.get_write_buffer_size() for connection in server.server_state.connections)

    host, _, port = server.url.removeprefix("http://").partition(":")
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect((host, int(port)))
        answered = 0
        while unread() <= HIGH_WATER:
            client.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n")
            answered += 1
            wait_for(lambda: server.server_state.total_requests == answered, what="the next answer")  # noqa: B023
        # What runs behind it ends in steps when it is cancelled, and its error has no room on the connection.
        client.sendall(b"GET /v1/live HTTP/1.1\r\nHost: a\r\n\r\n")
        wait_for(lambda: server.server_state.tasks, what="the stream to begin")
        server.stop()
        thread.join(20 * busy())
        assert not thread.is_alive()
    store.close()


PROGRAM = """
import sys
from pathlib import Path
from threading import Event
from adapters.sqlite.store import SqliteStore
from cityvitals import process_api
from registry.config import load_settings

class Silent(SqliteStore):
    def cities(self):
        print("asked", flush=True)
        Event().wait()

process_api.open_answering = lambda url: Silent(Path("a.db"))
process_api.run_api(load_settings(Path(sys.argv[1])))
"""


def test_the_program_ends_while_a_store_does_not_answer(tmp_path: Path) -> None:
    port = free_port()
    config, log = tmp_path / "cityvitals.toml", tmp_path / "log"
    config.write_text(f"[api]\nport = {port}\n")
    program = start([sys.executable, "-c", PROGRAM, str(config)], log=log, cwd=tmp_path)
    try:
        wait_for(lambda: _answers(port), what="the API to start")
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(b"GET /v1/cities HTTP/1.1\r\nHost: a\r\n\r\n")
            wait_for(lambda: "asked" in log.read_text(), what="the request to begin")
            program.send_signal(signal.SIGTERM)
            assert program.wait(30 * busy()) == 0
        assert "ends without its answer" in log.read_text()
    finally:
        end(program)


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/healthz").status_code == 200
    except httpx.TransportError:
        return False
