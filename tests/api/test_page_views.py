"""The views beside the first: indicators, one indicator, devices and map, in a real Chromium."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.api.pages import DESKTOP, NARROW
from tests.browser import PHONE, page

SHOTS = Path(__file__).parents[2] / "build" / "screenshots"
VIEWS = {
    "indicators": "/c/lindhaven/indicators?period=2026-05",
    "indicator": "/c/lindhaven/k/EN:EN:AQ:1C/no2?step=month&period=2026-05",
    "devices": "/c/lindhaven/devices",
}


@contextmanager
def opened(browser: Any, address: str, size: tuple[int, int] = DESKTOP, scheme: str = "light") -> Iterator[Any]:
    with page(browser, "about:blank", size) as (view, errors):
        view.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        view.goto(address)
        view.wait_for_selector("body[data-ready]")
        yield view
        assert errors == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("name", "size"), [("desktop", DESKTOP), ("phone", PHONE), ("narrow", NARROW)])
@pytest.mark.parametrize("view", VIEWS)
def test_a_view_fits_and_has_no_error(
    browser: Any, url: str, view: str, name: str, size: tuple[int, int], scheme: str
) -> None:
    with opened(browser, url + VIEWS[view], size, scheme) as tab:
        assert tab.evaluate("document.documentElement.scrollWidth") == size[0]
        assert tab.locator("h1:visible").count() == 1
        assert tab.locator("#empty:visible").count() == 0
        SHOTS.mkdir(parents=True, exist_ok=True)
        tab.screenshot(path=SHOTS / f"{view}-{name}-{scheme}.png")


def test_the_heading_is_the_answer_and_filters_are_in_the_address(browser: Any, url: str) -> None:
    with opened(browser, url + VIEWS["indicators"]) as tab:
        assert "of 91 indicators have a value in May 2026" in tab.locator("h1:visible").inner_text()
        assert tab.locator("#found").inner_text() == "112 figures"
        tab.locator("#origin").select_option("derived")
        assert "origin=derived" in tab.url
        assert tab.locator(".missing").count() == 0
        tab.locator("#find").fill("no such thing")
        assert tab.locator("#found").inner_text() == "No indicator fits these filters."
        shared = tab.url
    with opened(browser, shared) as tab:
        assert tab.locator("#origin").input_value() == "derived"
        assert tab.locator("#find").input_value() == "no such thing"


def test_a_figure_leads_to_its_own_view_with_history_and_meaning(browser: Any, url: str) -> None:
    with opened(browser, url + VIEWS["indicators"]) as tab:
        tab.get_by_role("link", name="Air Pollution: Nitrogen dioxide, NO₂").click()
        tab.wait_for_selector("#history canvas")
        tab.wait_for_selector("body[data-ready]")
        assert "µg/m³ in May 2026" in tab.locator("h1:visible").inner_text()
        assert "less is better" in tab.locator("#meaning").inner_text()


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/c/nope/indicators", "There is no city 'nope'"),
        ("/c/lindhaven/k/EN:EN:AQ:9C", "There is no indicator EN:EN:AQ:9C"),
        ("/c/lindhaven/indicators?period=2026-13", "2026-13"),
    ],
)
def test_an_address_that_leads_nowhere_says_so(browser: Any, url: str, path: str, words: str) -> None:
    with page(browser, url + path) as (tab, _):
        tab.wait_for_selector("body[data-ready]")
        assert words in tab.locator("#empty").inner_text()


def test_devices_are_reached_by_keyboard_from_the_map(browser: Any, url: str) -> None:
    with opened(browser, url + VIEWS["devices"]) as tab:
        assert "need a look" in tab.locator("h1:visible").inner_text()
        assert "No device has a position" in tab.locator("#map").inner_text()
        tab.locator("#show").select_option("trouble")
        assert "show=trouble" in tab.url


def test_every_view_is_linked_from_every_view(browser: Any, url: str) -> None:
    for path in VIEWS.values():
        with opened(browser, url + path) as tab:
            links = tab.locator("#views a")
            assert links.all_inner_texts() == ["Now", "Indicators", "Devices and map"]
            assert links.first.get_attribute("href") == "/?city=lindhaven"
            assert tab.locator("#views a[aria-current=page]").count() == 1
