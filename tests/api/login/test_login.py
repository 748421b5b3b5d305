"""Signing in with a real provider of OpenID Connect on loopback: code flow with PKCE, and every wrong id token."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from adapters.oidc.provider import Client, Provider
from adapters.sqlite.store import SqliteStore
from api.login.people import People
from telemetry.errors import UsageError
from tests.api.conftest import running
from tests.api.login.oidc_provider import CLIENT, SECRET, Idp, provider
from tests.processes import free_port

ROLES = {"vitals-admins": "admin", "vitals-operators": "operator", "vitals-readers": "read"}


class Server:
    """The API of a closed city, its provider, and how far its clock is ahead."""

    def __init__(self, url: str, idp: Idp, people: People) -> None:
        self.url, self.idp, self.people, self.ahead = url, idp, people, 0.0

    def browser(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, trust_env=False, timeout=30)


@pytest.fixture(scope="module")
def server(seeded: Path) -> Iterator[Server]:
    port, store = free_port(), SqliteStore(seeded)
    ahead = [0.0]
    with provider() as idp:
        back = f"http://127.0.0.1:{port}/v1/login/done"
        made = Provider(Client(idp.issuer, CLIENT, SECRET, back), time.time)
        people = People(made, ROLES, lambda: time.time() + ahead[0], secure=False)
        with running(store, people=people, port=port) as url:
            found = Server(url, idp, people)
            yield found
    store.close()


@pytest.fixture(autouse=True)
def right_again(server: Server) -> Iterator[None]:
    yield
    server.idp.wrong, server.idp.groups, server.idp.away = "", ["vitals-admins"], False


def signed_in(browser: httpx.Client) -> str:
    """Follow the whole way as a browser does; the address at which it ends."""
    at = "/v1/login"
    for _ in range(5):
        answer = browser.get(at)
        if answer.status_code not in (302, 303):
            break
        at = answer.headers["location"]
    return at


def test_a_person_signs_in_has_the_role_of_the_group_and_signs_out(server: Server) -> None:
    with server.browser() as browser:
        assert browser.get("/v1/cities").status_code == 401
        assert browser.get("/v1/me").json() | {"public": False} == {
            "name": "", "role": "viewer", "public": False, "tokens": False, "login": True,
        }  # fmt: skip
        assert signed_in(browser) == "/admin"
        me = browser.get("/v1/me").json()
        assert (me["name"], me["role"]) == ("kari", "admin")
        assert browser.get("/v1/cities").status_code == 200
        assert browser.get("/v1/admin/health").status_code == 200
        assert browser.post("/v1/logout").status_code == 204
        assert browser.get("/v1/cities").status_code == 401


@pytest.mark.parametrize(
    ("groups", "role", "reads", "health"),
    [(["vitals-operators", "other"], "operator", 200, 200), (["vitals-readers"], "viewer", 200, 403)],
)
def test_the_role_is_that_of_the_groups(server: Server, groups: list[str], role: str, reads: int, health: int) -> None:
    server.idp.groups = groups
    with server.browser() as browser:
        assert signed_in(browser) == "/admin"
        assert browser.get("/v1/me").json()["role"] == role
        assert browser.get("/v1/cities").status_code == reads
        assert browser.get("/v1/admin/health").status_code == health
        assert browser.get("/v1/admin/tokens").status_code == 403


@pytest.mark.parametrize(
    "wrong",
    ["signature", "unsigned", "audience", "many", "expired", "endless", "issuer", "nonce", "cancelled"],
)
def test_a_wrong_answer_of_the_provider_signs_nobody_in(server: Server, wrong: str) -> None:
    server.idp.wrong = wrong
    with server.browser() as browser:
        assert signed_in(browser) == "/admin?login=refused"
        assert "cityvitals_session" not in browser.cookies
        assert browser.get("/v1/cities").status_code == 401


def test_a_person_without_a_role_is_not_signed_in(server: Server) -> None:
    server.idp.groups = ["gardeners"]
    with server.browser() as browser:
        assert signed_in(browser) == "/admin?login=no_role"
        assert browser.get("/v1/cities").status_code == 401


def test_new_keys_of_the_provider_are_read_once_they_are_used(server: Server) -> None:
    with server.browser() as browser:
        assert signed_in(browser) == "/admin"
    server.idp.key, server.idp.other = server.idp.other, server.idp.key
    with server.browser() as browser:
        assert signed_in(browser) == "/admin"


def test_the_way_back_belongs_to_the_browser_that_began_and_is_gone_once(server: Server) -> None:
    with server.browser() as mine, server.browser() as another:
        to_provider = mine.get("/v1/login").headers["location"]
        back = mine.get(to_provider).headers["location"]
        assert another.get(back).headers["location"] == "/admin?login=refused"
        cookie = mine.cookies["cityvitals_login"]
        assert mine.get(back).headers["location"] == "/admin"
        mine.cookies.set("cityvitals_login", cookie, path="/v1/login")
        assert mine.get(back).headers["location"] == "/admin?login=refused"


def test_cookies_cannot_be_read_by_scripts_nor_sent_by_other_sites(server: Server) -> None:
    with server.browser() as browser:
        begun = browser.get("/v1/login")
        assert {"HttpOnly", "SameSite=lax", "Path=/v1/login"} <= set(begun.headers["set-cookie"].split("; "))
        done = browser.get(browser.get(begun.headers["location"]).headers["location"])
        session = next(c for c in done.headers.get_list("set-cookie") if c.startswith("cityvitals_session="))
        assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(session.split("; "))
        server.people.secure = True
        assert "Secure" in browser.get("/v1/login").headers["set-cookie"].split("; ")
        server.people.secure = False


def test_after_hours_a_person_signs_in_again(server: Server) -> None:
    now = [1000.0]
    people = People(server.people.provider, ROLES, lambda: now[0], hours=1)
    url, key = people.begin()
    back = httpx.get(url, trust_env=False).headers["location"]
    answer = dict(httpx.QueryParams(urlsplit(back).query))
    mine = people.finish(key, answer)
    assert people.who(mine) == ("kari", frozenset({"admin"}))
    assert people.who(mine + "x") is None
    now[0] += 3601
    assert people.who(mine) is None


def test_a_provider_that_is_away_is_said(server: Server, seeded: Path) -> None:
    made = Provider(Client(server.idp.issuer, CLIENT, SECRET, server.url), time.time)
    server.idp.away = True
    with running(SqliteStore(seeded), people=People(made, ROLES, time.time)) as url:
        answer = httpx.get(f"{url}/v1/login", trust_env=False)
        assert answer.status_code == 503
        assert "does not answer" in answer.json()["detail"]
        server.idp.away = False
        assert httpx.get(f"{url}/v1/login", trust_env=False).status_code == 303


def test_a_provider_that_describes_another_is_refused(server: Server) -> None:
    server.idp.said_issuer = "https://elsewhere.example"
    made = Provider(Client(server.idp.issuer, CLIENT, SECRET, server.url), time.time)
    with pytest.raises(Exception, match="describes another provider"):
        made.start()
    server.idp.said_issuer = server.idp.issuer


@pytest.mark.parametrize("address", ["http://login.example.org", "ftp://127.0.0.1", "login", ""])
def test_an_address_over_which_a_code_could_be_read_is_refused(address: str) -> None:
    safe = "https://a.example"
    for client in (Client(address, CLIENT, None, safe), Client(safe, CLIENT, None, address)):
        with pytest.raises(UsageError, match="starts with https"):
            Provider(client, time.time)


def test_without_a_provider_there_is_no_signing_in(client: httpx.Client) -> None:
    assert client.get("/v1/login").status_code == 404
    assert client.get("/v1/me").json()["login"] is False
