"""The page where the API wants tokens, in a real Chromium."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.sqlite.store import SqliteStore
from api.access import add_token
from tests.api.city import CITY
from tests.api.conftest import running
from tests.page.opened import READY, opened


@pytest.fixture
def guarded(tmp_path: Path, store: SqliteStore) -> Iterator[tuple[str, dict[str, str]]]:
    """An API that asks for tokens: its address, and a token of each scope."""
    path = tmp_path / "tokens"
    made = {scope: add_token(path, name, [scope]) for name, scope in (("all", "read"), ("one", f"read:{CITY}"))}
    with running(store, tokens=path) as url:
        yield url, made


def give(view: Any, token: str) -> None:
    view.get_by_label("Access token").fill(token)
    view.get_by_role("button", name="Show the values").click()


def test_the_page_asks_for_a_token_and_sends_it_in_no_address(browser: Any, guarded: Any) -> None:
    url, tokens = guarded
    asked: list[str] = []
    with opened(browser, url, errors_expected=True) as view:
        view.on("request", lambda request: asked.append(request.url))
        view.get_by_text("An access token is needed to see these values.").wait_for()
        assert view.locator(".card.c5").count() == 0
        give(view, "cv_guess")
        view.get_by_text("The token was rejected").wait_for()
        give(view, tokens["read"])
        view.wait_for_selector(".answer")
        view.locator("#state").get_by_text("Live").wait_for()  # the stream has the token too
        view.reload()
        view.wait_for_selector(".answer")  # kept for this tab
        view.goto(f"{url}/c/{CITY}/indicators")
        with view.expect_download() as download:  # a link could not send the token
            view.get_by_role("button", name="CSV").click()
        assert download.value.suggested_filename.endswith(".csv")
        assert view.context.cookies() == []
    assert any("/v1/live" in address for address in asked)
    assert not [address for address in asked if tokens["read"] in address]


def test_the_token_of_one_city_shows_that_city(browser: Any, guarded: Any) -> None:
    url, tokens = guarded
    with opened(browser, f"{url}/c/{CITY}", errors_expected=True) as view:
        give(view, tokens[f"read:{CITY}"])
        view.wait_for_selector(READY)
        view.wait_for_selector(".answer")


def test_an_address_says_nothing_of_cities_to_who_has_no_token(guarded: Any, browser: Any) -> None:
    url, _ = guarded
    with opened(browser, url, errors_expected=True) as view:
        assert {view.request.get(f"{url}/c/{name}").status for name in (CITY, "nope")} == {200}
