"""What a crafted request line or Host header reaches: never more than its token opens. Through a real server."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from adapters.sqlite.store import SqliteStore
from api.access import add_token
from api.server import ApiServer
from api.settings import ApiSettings
from tests.api.city import NOW
from tests.api.conftest import running
from tests.processes import wait_for

HOSTS = ("x/healthz?", "x/?", "x/static/", "127.0.0.1/healthz#", "evil/healthz?a=", "x\\@y/readyz?", "")
TARGETS = (
    "/v1/cities", "//v1/cities", "/v1//cities", "/%76%31/cities", "/static/../v1/cities", "/static/%2e%2e/v1/cities",
    "/healthz/../v1/cities", "http://x/v1/cities", "http://x/healthz?/v1/cities", "/v1/cities/",
    "/healthz%3f/v1/cities",
    "/v1%2fcities", "/./v1/cities",
)  # fmt: skip


@pytest.fixture(scope="module")
def guarded(seeded: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    tokens = tmp_path_factory.mktemp("tokens") / "tokens"
    other = add_token(tokens, "other", ["read:elsewhere"])
    store = SqliteStore(seeded)
    with running(store, tokens=tokens) as url:
        yield url, other
    store.close()


def ask(url: str, target: str, host: str, token: str = "") -> tuple[int, bytes]:
    """Status and body of a request written byte by byte."""
    place = urlsplit(url)
    head = f"GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n"
    head += f"Authorization: Bearer {token}\r\n" if token else ""
    with socket.create_connection((place.hostname, place.port), timeout=60) as connection:
        connection.sendall(f"{head}\r\n".encode())
        answer = b""
        while block := connection.recv(65536):
            answer += block
    return int(answer.split(b" ", 2)[1]), answer


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("host", HOSTS)
def test_no_host_and_no_form_of_the_target_opens_the_data(guarded: tuple[str, str], target: str, host: str) -> None:
    url, other = guarded
    for token in ("", other):
        status, body = ask(url, target, host, token)
        assert status in (400, 401, 403, 404, 307), body[:200]
        assert b"lindhaven" not in body


def test_a_forwarded_address_counts_only_where_the_proxy_is_configured(seeded: Path) -> None:
    """Otherwise a client on this machine could name another client in each request, and no limit would hold."""
    for proxies, expected in (((), {200, 429}), (("127.0.0.1",), {200})):
        store = SqliteStore(seeded)
        server = ApiServer(ApiSettings(port=0, rate=0.001, burst=3, proxies=proxies), store, lambda: NOW)
        thread = threading.Thread(target=server.run)
        thread.start()
        try:
            wait_for(partial(getattr, server, "started"), what="the API to start")
            found = set()
            for number in range(6):
                target = f"/healthz\nX-Forwarded-For: 192.0.2.{number}".split("\n")
                found.add(ask(server.url, target[0], f"x\r\n{target[1]}")[0])
        finally:
            server.stop()
            thread.join(15)
            store.close()
        assert found == expected
