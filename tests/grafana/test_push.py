"""Pushing dashboards over Grafana's HTTP API, against a stand-in on the loopback interface that records the calls."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from grafana.push import push
from telemetry.errors import CityVitalsError, Unavailable, UsageError
from tests.servers import free_port


class StandIn(BaseHTTPRequestHandler):
    calls: list[tuple[str, str, Any]]
    token = "Bearer good"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.calls.append((self.path, self.headers["Authorization"], body))
        self._answer({"url": f"/d/{body.get('dashboard', body)['uid']}", "uid": "x"})

    def _answer(self, body: Any) -> None:
        allowed = self.headers["Authorization"] == self.token
        again = self.path == "/api/folders" and len(self.calls) > 1
        text = json.dumps(body if allowed else {"message": "Invalid API key"}).encode()
        self.send_response(412 if again else 200 if allowed else 401)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def grafana() -> Iterator[tuple[str, list[tuple[str, str, Any]]]]:
    StandIn.calls = []
    server = HTTPServer(("127.0.0.1", 0), StandIn)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", StandIn.calls
    server.shutdown()
    thread.join()
    server.server_close()


def test_every_dashboard_is_put_into_the_folder(grafana: Any) -> None:
    url, calls = grafana
    addresses = push(url, "good")
    assert f"{url}/d/cityvitals-kpis" in addresses
    folder, *dashboards = calls
    assert folder[2]["uid"] == "cityvitals"
    assert len(dashboards) == len(addresses) == 5
    assert all(body["folderUid"] == "cityvitals" and body["overwrite"] for _, _, body in dashboards)


def test_a_second_push_finds_the_folder_there(grafana: Any) -> None:
    url, calls = grafana
    assert push(url, "good") == push(url, "good")
    assert len(calls) == 12


def test_a_refusal_says_which_role_the_token_needs(grafana: Any) -> None:
    with pytest.raises(CityVitalsError, match="role Editor"):
        push(grafana[0], "bad")


def test_an_address_that_is_none_is_named() -> None:
    with pytest.raises(UsageError, match="no address of a Grafana"):
        push("file:///etc/passwd", "good")


def test_a_grafana_that_is_away_is_unavailable() -> None:
    with pytest.raises(Unavailable, match="does not answer"):
        push(f"http://127.0.0.1:{free_port()}", "good")
