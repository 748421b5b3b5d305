"""A stand-in for Grafana's HTTP API on the loopback interface that records the calls."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

Call = tuple[str, str, Any]


class StandIn(BaseHTTPRequestHandler):
    """A stand-in for Grafana with all that `push` uses; `version` is what it reports, None for one that hides it."""

    calls: list[Call]
    folders: set[str]
    token = "Bearer good"
    version: str | None
    datasources: tuple[str, ...]
    provenance: set[str]  # values of the header by which rules stay editable

    def do_GET(self) -> None:
        if self.path == "/api/health":
            self._answer(200, {"database": "ok"} | ({"version": self.version} if self.version else {}))
        elif self.headers["Authorization"] != self.token:
            self._answer(401, {"message": "Invalid API key"})
        elif self.path.startswith("/api/datasources/"):
            known = self.path.rpartition("/")[2] in self.datasources
            self._answer(200 if known else 404, {"uid": "x"} if known else {"message": "not found"})
        else:
            self._answer(200, {"uid": "cityvitals", "id": 7})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.headers["Authorization"] != self.token:
            self._answer(401, {"message": "Invalid API key"})
            return
        self.calls.append((self.path, self.headers["Authorization"], body))
        uid = body.get("dashboard", body)["uid"]
        again = self.path == "/api/folders" and uid in self.folders
        self.folders.add(uid)
        self._answer(412 if again else 200, {"url": f"/d/{uid}", "uid": uid, "id": 7})

    def do_PUT(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.calls.append((self.path, self.headers["Authorization"], body))
        self.provenance.add(self.headers["X-Disable-Provenance"])
        self._answer(200, body)

    def _answer(self, status: int, body: Any) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def standing_in() -> Iterator[tuple[str, list[Call]]]:
    """Its address and the calls so far; it has the data source of the documents and takes the token "good"."""
    StandIn.calls, StandIn.folders, StandIn.provenance = [], set(), set()
    StandIn.version, StandIn.datasources = "11.6.0", ("cityvitals-influx",)
    server = HTTPServer(("127.0.0.1", 0), StandIn)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", StandIn.calls
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
