"""The live page where the API wants tokens, in a real Chromium."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.sqlite.store import SqliteStore
from api.access import add_token
from tests.api.city import CITY, seed
from tests.api.conftest import running
from tests.api.pages import DESKTOP, card, complete, write
from tests.browser import page


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[tuple[str, SqliteStore, dict[str, str]]]:
    """An API that asks for tokens: its address, its store, and a token of each scope."""
    store, path = SqliteStore(tmp_path / "guarded.db"), tmp_path / "tokens"
    seed(store)
    made = {scope: add_token(path, name, [scope]) for name, scope in (("all", "read"), ("one", f"read:{CITY}"))}
    with running(store, tokens=path) as url:
        yield url, store, made


def give(view: Any, token: str) -> None:
    view.get_by_label("Access token").fill(token)
    view.get_by_role("button", name="Show the values").click()


def test_the_page_asks_for_a_token_and_sends_it_in_no_address(browser: Any, guarded: Any) -> None:
    url, store, tokens = guarded
    asked: list[str] = []
    with page(browser, "about:blank", DESKTOP) as (view, _):
        view.on("request", lambda request: asked.append(request.url))
        view.goto(url + "/?period=day")
        view.get_by_text("These values are not public.").wait_for()
        assert view.locator(".card").count() == 0
        give(view, tokens["read"])
        complete(view)
        write(store, "EN:EN:AQ:1C", "pm2_5", 77.7)
        card(view, "EN:EN:AQ:1C", "pm2_5").get_by_text("77.7").wait_for()  # the stream has the token too
        view.locator("#snapshot-name").click()
        picture = view.locator("#snapshot img")
        picture.wait_for()
        assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
        view.reload()
        complete(view)  # kept for this tab
        assert view.context.cookies() == []
    assert any("/v1/live" in address for address in asked)
    assert not [address for address in asked if tokens["read"] in address]
    with page(browser, url, DESKTOP) as (view, _):
        view.get_by_text("These values are not public.").wait_for()  # and for no other


def test_a_wrong_token_is_told_and_asked_for_again(browser: Any, guarded: Any) -> None:
    url, _, tokens = guarded
    with page(browser, url, DESKTOP) as (view, _):
        give(view, "cv_guess")
        view.get_by_text("The token was rejected").wait_for()
        give(view, tokens["read"])
        complete(view)


def test_the_token_of_one_city_shows_that_city(browser: Any, guarded: Any) -> None:
    url, _, tokens = guarded
    with page(browser, f"{url}/?city={CITY}", DESKTOP) as (view, _):
        give(view, tokens[f"read:{CITY}"])
        complete(view)
