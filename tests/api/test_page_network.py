"""The live page where the network fails while it loads, in a real Chromium."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from adapters.sqlite.store import SqliteStore
from tests.api.city import seed
from tests.api.pages import DESKTOP, complete, write
from tests.browser import page

DATA = re.compile(r"/v1/(?!live)")
SERIES = re.compile(r"/series\?")
# The pauses of the page, twenty times as short.
HASTE = "const late = setTimeout; window.setTimeout = (f, ms, ...more) => late(f, ms / 20, ...more);"


def text(view: Any) -> str:
    return str(view.locator("#kpis").inner_text())


def test_a_page_whose_requests_failed_at_first_ends_up_complete(browser: Any, url: str) -> None:
    """As with net::ERR_NETWORK_CHANGED, when a laptop changes to another network."""
    with page(browser, url, DESKTOP) as (view, _):
        complete(view)
        whole = text(view)
    asked: Counter[str] = Counter()

    def fail_twice(route: Any) -> None:
        path = urlsplit(route.request.url)
        asked[f"{path.path}?{path.query}"] += 1
        if asked[f"{path.path}?{path.query}"] > 2:
            route.continue_()
        else:
            route.abort("connectionfailed")

    with page(browser, "about:blank", DESKTOP) as (view, errors):
        view.add_init_script(HASTE)
        view.route(DATA, fail_twice)
        view.goto(url)
        complete(view)
        assert text(view) == whole
        assert sum("ERR_" in error for error in errors) >= 2 * len(asked) > 4
    assert set(asked.values()) == {3}


def test_a_refusal_is_not_asked_about_again(browser: Any, url: str) -> None:
    asked: Counter[str] = Counter()

    def refuse(route: Any) -> None:
        asked[route.request.url] += 1
        route.fulfill(status=503, json={"detail": "not now"})

    with page(browser, "about:blank", DESKTOP) as (view, _):
        view.add_init_script(HASTE)
        view.route(SERIES, refuse)
        view.goto(url)
        view.wait_for_selector(".card")  # they come when all series are there or given up
    assert asked
    assert set(asked.values()) == {1}


def test_what_was_given_up_is_asked_for_again_with_the_next_change(
    browser: Any, tmp_path: Path, serving: Callable[..., str]
) -> None:
    store = SqliteStore(tmp_path / "live.db")
    seed(store)
    url = serving(store) + "/?period=day"
    with page(browser, url, DESKTOP) as (view, _):
        complete(view)
        panels = view.locator("#panels").inner_text()
    with page(browser, "about:blank", DESKTOP) as (view, _):
        view.add_init_script(HASTE)
        view.route(SERIES, lambda route: route.abort("connectionfailed"))
        view.goto(url)
        view.wait_for_selector(".card")
        assert view.locator("#panels").inner_text() != panels
        view.unroute(SERIES)
        write(store, "EN:EN:AQ:1C", "pm2_5", 77.7)
        complete(view)
        view.wait_for_function("panels => document.querySelector('#panels').innerText === panels", arg=panels)
