"""The API with tokens: who gets an answer, how often, and what is kept of a token."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from starlette.types import Message, Receive, Scope, Send

from adapters.sqlite.store import SqliteStore
from adapters.store import CityRecord
from api.access import Access, Limiter, add_token, read_tokens
from api.server import ApiServer
from api.settings import ApiSettings
from cityvitals.process_api import run_api
from registry.settings import ApiSection, Settings, StoreSettings
from telemetry.errors import UsageError
from tests.processes import wait_for

CITY = {"city": {"id": "aba", "name": "A", "country": "GB", "timezone": "Europe/London"}}


@contextmanager
def running(server: ApiServer) -> Iterator[str]:
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        wait_for(lambda: server.started, what="the API to start")
        yield server.url
    finally:
        server.stop()
        thread.join(15)


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    path = tmp_path_factory.mktemp("tokens") / "tokens"
    made = {s: add_token(path, s.replace(":", "-"), [s]) for s in ("read", "read:aba", "metrics")}
    return made | {"path": str(path)}


@pytest.fixture(scope="module")
def api(tokens: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    store = SqliteStore(tmp_path_factory.mktemp("store") / "a.db")
    store.put_city(CityRecord("aba", CITY, 60_000))
    store.put_city(CityRecord("abb", {"city": CITY["city"] | {"id": "abb"}}, 60_000))
    with running(ApiServer(ApiSettings(port=0, tokens=Path(tokens["path"])), store)) as url:
        yield url


def get(url: str, path: str, token: str | None = None) -> int:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return httpx.get(url + path, headers=headers).status_code


@pytest.mark.parametrize(
    ("scope", "path", "status"),
    [
        (None, "/v1/cities", 401),
        ("wrong", "/v1/cities", 401),
        ("read", "/v1/cities", 200),
        ("read", "/metrics", 200),
        ("read:aba", "/v1/cities/aba", 200),
        ("read:aba", "/v1/cities/abb", 403),
        ("read:aba", "/v1/cities", 403),
        ("read:aba", "/v1/cities/aba/../abb", 403),
        ("read:aba", "/v1/catalogue", 200),
        ("read:aba", "/metrics", 403),
        ("read:aba", "/v1/live", 403),
        ("read:aba", "/v1/live?city=abb", 403),
        ("read:aba", "/v1/live?city=aba&city=abb", 403),
        ("metrics", "/v1/live?city=aba", 403),
        ("metrics", "/metrics", 200),
        ("metrics", "/v1/cities", 403),
        (None, "/healthz", 200),
        (None, "/", 200),
        (None, "/openapi.json", 401),
    ],
)
def test_a_token_opens_what_its_scope_says(
    api: str, tokens: dict[str, str], scope: str | None, path: str, status: int
) -> None:
    token = None if scope is None else tokens.get(scope, "cv_guess")
    assert get(api, path, token) == status


def test_a_refusal_says_what_to_do_and_how(api: str) -> None:
    answer = httpx.get(api + "/v1/cities")
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.headers["Content-Security-Policy"]
    assert "cityvitals token" in answer.json()["detail"]


def test_of_a_token_only_the_hash_is_kept(tokens: dict[str, str]) -> None:
    path = Path(tokens["path"])
    assert tokens["read"] not in path.read_text()
    assert oct(path.stat().st_mode & 0o777) == "0o600"
    with pytest.raises(UsageError, match="already"):
        add_token(path, "read", ["read"])
    with pytest.raises(UsageError, match="not a valid scope"):
        add_token(path, "other", ["write"])


@pytest.mark.parametrize(
    ("name", "scope"), [("a b", "read"), ("a\u2028b", "read"), ("", "read"), ("a", "read:a b"), ("a", "read:a/b")]
)
def test_a_name_or_scope_that_would_spoil_the_file_is_refused(tmp_path: Path, name: str, scope: str) -> None:
    with pytest.raises(UsageError):
        add_token(tmp_path / "tokens", name, [scope])
    assert not (tmp_path / "tokens").exists()


def test_a_token_goes_on_a_line_of_its_own_after_an_editor_that_ends_none(tmp_path: Path) -> None:
    path = tmp_path / "tokens"
    add_token(path, "one", ["read:aba"])
    path.write_text(path.read_text().rstrip())
    add_token(path, "zwei-ü", ["metrics"])
    assert sorted(owner for owner, _ in read_tokens(path).values()) == ["one", "zwei-ü"]


def test_a_token_file_that_is_no_text_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "tokens").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="cannot be read"):
        read_tokens(tmp_path / "tokens")


def test_a_token_file_with_a_mistake_is_refused_by_line(tmp_path: Path) -> None:
    path = tmp_path / "tokens"
    path.write_text("# comment\nindex short read\n")
    with pytest.raises(UsageError, match="line 2"):
        read_tokens(path)


def test_a_client_with_too_many_requests_waits() -> None:
    limiter = Limiter(rate=2.0, burst=3.0)
    assert [limiter.take("a", 0.0) for _ in range(4)] == [0.0, 0.0, 0.0, 0.5]
    assert limiter.take("b", 0.0) == 0.0
    assert limiter.take("a", 0.5) == 0.0
    assert limiter.take("a", 0.5) == 0.5


def test_the_limit_shows_as_429_with_the_time_to_wait(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "a.db")
    with running(ApiServer(ApiSettings(port=0, rate=0.01, burst=2.0), store)) as url:
        answers = [httpx.get(url + "/v1/cities") for _ in range(5)]
    assert [a.status_code for a in answers[-2:]] == [429, 429]
    assert int(answers[-1].headers["Retry-After"]) >= 60


def test_many_addresses_do_not_fill_the_memory() -> None:
    limiter = Limiter(rate=1.0, burst=1.0)
    for n in range(30_000):
        limiter.take(str(n), 0.0)
    assert len(limiter._left) <= 10_000


def test_an_api_that_everybody_reaches_needs_tokens_or_the_operators_word(tmp_path: Path) -> None:
    settings = Settings(api=ApiSection(host="0.0.0.0"), store=StoreSettings(url=f"sqlite:///{tmp_path}/a.db"))
    with pytest.raises(UsageError, match="public = true"):
        run_api(settings)


def test_one_client_of_ipv6_has_one_limit_for_all_its_addresses() -> None:
    async def fine(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    def status(address: str) -> int:
        sent = list[Message]()

        async def keep(message: Message) -> None:
            sent.append(message)

        scope = {"type": "http", "method": "GET", "path": "/v1/cities", "headers": [], "client": (address, 1)}
        asyncio.run(access(scope | {"query_string": b"", "server": ("a", 80)}, _never, keep))
        return int(sent[0]["status"])

    access = Access(fine, None, Limiter(rate=0.01, burst=2.0), public=True, clock=lambda: 0.0)
    assert [status(f"2001:db8::{n}") for n in (1, 2, 3)] == [200, 200, 429]
    assert [status(f"2001:db8:0:1::{n}") for n in (1, 2)] == [200, 200]


async def _never() -> Message:
    raise AssertionError
