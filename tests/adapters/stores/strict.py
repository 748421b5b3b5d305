"""An InfluxDB that answers writes as the documents of 1.x and 2.x say, and not always with success.

Lines are parsed; what lies before the retention is dropped with a partial write (400 in 1.x, 422 in 2.x), the rest of
the batch is stored. `policies`: those that a question for them names; what is written to `forever` has no retention.
Before that come the answers of a server that is busy, restarting or cut off, in a random order.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from random import Random
from threading import Thread
from urllib.parse import parse_qs, urlsplit

from tests.servers import QuietServer

_LINE = re.compile(r'[^\s,]+(?:,[^\s=]+=[^\s]+)* (?:[^\s"]|"[^"]*")+ (-?\d+)')
_CUT = 0  # the connection ends without an answer
BUSY = (429, 503, 500, 408, _CUT)


@dataclass
class Strict:
    """`retention`: ms UTC from which on points are taken. `largest`: bytes of a request. `token`: of version 2."""

    rng: Random
    retention: int
    largest: int
    token: str = "secret"
    port: int = 0
    lines: set[str] = field(default_factory=set)
    kept: set[str] = field(default_factory=set)  # written to `forever`
    policies: list[str] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    trouble: list[int] = field(init=False)

    def __post_init__(self) -> None:
        self.trouble = [*BUSY, *BUSY]
        self.rng.shuffle(self.trouble)

    def write(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, str, dict[str, str]]:
        """Status, message and headers."""
        asked = parse_qs(urlsplit(path).query)
        second = path.startswith("/api/v2/")
        if asked.get("precision") != ["ms"]:
            return 400, "invalid precision", {}
        if second and headers.get("Authorization") != f"Token {self.token}":
            return 401, "unauthorized access", {}
        if not self._is_known(asked, second):
            return 404, 'bucket "city" not found' if second else 'database not found: "city"', {}
        return self._held(body, asked, second)

    def _held(self, body: bytes, asked: dict[str, list[str]], second: bool) -> tuple[int, str, dict[str, str]]:
        if self.trouble:
            status = self.trouble.pop()
            return status, "try again", {"Retry-After": "3"} if status in (429, 503) else {}
        if len(body) > self.largest:
            return 413, "request entity too large", {}
        if self._is_forever(asked, second):
            self.kept.update(body.decode().split("\n"))
            return 204, "", {}
        return self._store(body.decode().split("\n"), 422 if second else 400)

    def _is_forever(self, asked: dict[str, list[str]], second: bool) -> bool:
        return asked.get("bucket") == ["city/forever"] if second else asked.get("rp") == ["forever"]

    def _is_known(self, asked: dict[str, list[str]], second: bool) -> bool:
        """Whether the database, or the bucket, and the policy exist."""
        if self._is_forever(asked, second):
            return "forever" in self.policies
        return asked.get("bucket" if second else "db") == ["city"]

    def query(self, body: bytes) -> str:
        """The answer to a question: the policies where they are in question, else nothing."""
        if b"SHOW+RETENTION+POLICIES" not in body or not self.policies:
            return '{"results":[{}]}'
        rows = [[name, "0s", "168h0m0s", 1, place == 0] for place, name in enumerate(self.policies)]
        columns = ["name", "duration", "shardGroupDuration", "replicaN", "default"]
        return json.dumps({"results": [{"series": [{"columns": columns, "values": rows}]}]})

    def _store(self, lines: list[str], partial: int) -> tuple[int, str, dict[str, str]]:
        times = [_LINE.fullmatch(line) for line in lines]
        if not all(times):
            return 400, f"unable to parse '{lines[times.index(None)]}': missing fields", {}
        good = [line for line, found in zip(lines, times, strict=True) if found and int(found[1]) >= self.retention]
        self.lines.update(good)
        if dropped := len(lines) - len(good):
            return partial, f"partial write: points beyond retention policy dropped={dropped}", {}
        return 204, "", {}


@contextmanager
def strict(seed: int, retention: int, largest: int) -> Iterator[Strict]:
    """Run the server on a free port of the loopback interface."""
    made = Strict(Random(seed), retention, largest)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path.startswith("/query"):
                status, message, headers = 200, made.query(body), dict[str, str]()
            else:
                status, text, headers = made.write(self.path, dict(self.headers), body)
                made.answers.append(status)
                if status == _CUT:
                    self.close_connection = True
                    return
                message = json.dumps({"error": text} if self.path.startswith("/write") else {"message": text})
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0" if status == 204 else str(len(message)))
            self.end_headers()
            self.wfile.write(b"" if status == 204 else message.encode())

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    with QuietServer(("127.0.0.1", 0), Handler) as server:
        made.port = server.server_address[1]
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield made
        server.shutdown()
