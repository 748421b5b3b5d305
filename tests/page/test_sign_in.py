"""Signing in with an identity provider in a real browser, on a server that is closed to everybody else."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from adapters.oidc.provider import Client, Provider
from adapters.sqlite.store import SqliteStore
from api.login.people import People
from tests.api.conftest import running
from tests.api.login.oidc_provider import CLIENT, SECRET, Idp, provider
from tests.page.opened import opened
from tests.page.test_views import axe
from tests.processes import free_port


@pytest.fixture
def idp() -> Iterator[Idp]:
    with provider() as made:
        yield made


@pytest.fixture
def closed(store: SqliteStore, idp: Idp) -> Iterator[str]:
    port = free_port()
    client = Client(idp.issuer, CLIENT, SECRET, f"http://127.0.0.1:{port}/v1/login/done")
    people = People(Provider(client, time.time), {"vitals-admins": "operator"}, time.time, secure=False)
    with running(store, people=people, port=port) as url:
        yield url


def test_an_operator_signs_in_works_and_signs_out(browser: Any, closed: str) -> None:
    with opened(browser, f"{closed}/admin", errors_expected=True) as view:
        view.get_by_role("link", name="Sign in").click()
        view.get_by_text("Signed in as kari, role").wait_for()
        view.get_by_role("heading", name="Health").wait_for()
        assert view.url.endswith("/admin")
        assert axe(view) == []
        view.locator(".views").get_by_role("link", name="Now", exact=True).click()
        view.locator(".answer").wait_for()
        view.goto(f"{closed}/admin")
        view.get_by_role("button", name="Sign out").click()
        view.get_by_role("link", name="Sign in").wait_for()


def test_why_nobody_is_signed_in_is_said(browser: Any, closed: str, idp: Idp) -> None:
    idp.groups = ["gardeners"]
    with opened(browser, f"{closed}/admin", errors_expected=True) as view:
        view.get_by_role("link", name="Sign in").click()
        view.get_by_text("have no right on this server").wait_for()
        idp.groups, idp.wrong = ["vitals-admins"], "expired"
        view.get_by_role("link", name="Sign in").click()
        view.get_by_text("Signing in failed").wait_for()
        idp.wrong = ""
        view.get_by_role("link", name="Sign in").click()
        view.get_by_role("heading", name="Health").wait_for()
