"""A server with prepared answers that no healthy InfluxDB gives."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from threading import Event, Thread

from tests.servers import QuietServer


@dataclass
class Canned:
    """The answer to every request, and the requests. `cut`: promise more bytes than are sent; `hold`: send nothing."""

    status: int = 204
    body: bytes = b""
    cut: bool = False
    hold: bool = False
    headers: dict[str, str] = field(default_factory=dict)
    port: int = 0
    asked: list[tuple[str, bytes, dict[str, str]]] = field(default_factory=list)
    over: Event = field(default_factory=Event)


@contextmanager
def canned(
    status: int = 204, body: bytes = b"", cut: bool = False, hold: bool = False, headers: dict[str, str] | None = None
) -> Iterator[Canned]:
    """Run the server on a free port of the loopback interface."""
    answer = Canned(status, body, cut, hold, headers or {})

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            answer.asked.append((self.path, self.rfile.read(int(self.headers["Content-Length"])), dict(self.headers)))
            if answer.hold:
                answer.over.wait(20)
            self.send_response(answer.status)
            self.send_header("Content-Length", str(len(answer.body) + (1000 if answer.cut else 0)))
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.body)
            self.close_connection = answer.cut

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    with QuietServer(("127.0.0.1", 0), Handler) as server:
        answer.port = server.server_address[1]
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield answer
        answer.over.set()
        server.shutdown()
