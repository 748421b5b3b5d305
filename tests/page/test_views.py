"""Every view in a real Chromium: it fits, has one heading, no error, nothing serious for axe, and can be looked at."""

from __future__ import annotations

import os
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.api.city import CITY
from tests.page.city import ODD
from tests.page.opened import DESKTOP, NARROW, PHONE, READY, SHOTS, VIEWS, heading, opened
from tests.page.test_map_view import BOXES, meet

# axe-core 4.13 or later, as its authors published it; the package around it is not needed.
AXE = Path((find_spec("axe_playwright_python").submodule_search_locations or [""])[0]) / "axe.min.js"  # type: ignore[union-attr]
CONTRAST = (Path(__file__).parent / "contrast.js").read_text()

WIDE = (1440, 900)
PAPER = 718  # px of A4 between its margins
ENLARGED = (640, 400)  # a window of 1280 x 800 at 200 %
CUT = """selector => [...document.querySelectorAll(selector)]
  .filter((node) => node.scrollWidth > node.clientWidth + 1).map((node) => node.textContent)"""

# What is pictured; CITYVITALS_LONG pictures each scheme in both sizes.
PICTURES = {("desktop", "light"), ("phone", "dark")}
if os.environ.get("CITYVITALS_LONG"):
    PICTURES |= {("desktop", "dark"), ("phone", "light")}


def axe(view: Any) -> list[str]:
    """What axe-core finds serious or critical, and where. It judges what is seen now."""
    if not view.evaluate("'axe' in window"):
        view.evaluate(AXE.read_text(encoding="utf-8"))
    found = view.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{v['impact']} {v['id']}: {node['target']}"
        for v in found["violations"]
        if v["impact"] in ("serious", "critical")
        for node in v["nodes"]
    ]


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_fits_is_accessible_and_has_no_error(browser: Any, url: str, name: str) -> None:
    # The city is younger than eight weeks, so its forecast is answered with a reason, which browsers log as an error.
    with opened(browser, url + VIEWS[name], errors_expected=name == "outlook") as view:
        SHOTS.mkdir(parents=True, exist_ok=True)
        for label, size in (("desktop", DESKTOP), ("phone", PHONE), ("narrow", NARROW)):
            view.set_viewport_size({"width": size[0], "height": size[1]})
            assert view.evaluate("document.documentElement.scrollWidth") <= size[0], label
            for scheme in ("light", "dark"):
                view.emulate_media(color_scheme=scheme)
                assert view.evaluate(CONTRAST) == [], (label, scheme)
                if (label, scheme) in PICTURES:
                    view.screenshot(path=SHOTS / f"{name}-{label}-{scheme}.png")
            if label != "narrow":
                assert axe(view) == [], label
        assert view.locator("h1:visible").count() == 1
        assert heading(view)
        if name != "embed":
            assert view.locator(".views a").count() == 8


def test_moving_between_views_keeps_one_page_and_back_works(browser: Any, url: str) -> None:
    with opened(browser, url + VIEWS["now"]) as view:
        view.evaluate("window.stays = true")
        for name in ("Indicators", "Devices", "Map"):
            view.locator(".views").get_by_role("link", name=name, exact=True).click()
            view.wait_for_selector(READY)
            view.wait_for_selector(f'.views a[aria-current="page"]:has-text("{name}")')
        view.go_back()
        view.wait_for_selector('.views a[aria-current="page"]:has-text("Devices")')
        assert view.evaluate("window.stays") is True


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/c/nope", 404, "There is no city 'nope'"),
        ("/c/lindhaven/k/EN:EN:AQ:9C", 404, "'EN:EN:AQ:9C' is not a KPI code; did you mean"),
        ("/c/lindhaven/indicators?period=2026-13", 200, "2026-13"),
        ("/c/lindhaven/d/air_reference-99", 200, "There is no device 'air_reference-99'"),
        ("/c/lindhaven/nothing", 404, "There is no view at /c/lindhaven/nothing."),
    ],
)
def test_an_address_that_leads_nowhere_says_so(browser: Any, url: str, path: str, status: int, words: str) -> None:
    with opened(browser, url + path, errors_expected=True) as view:
        assert words in heading(view)
        assert view.request.get(url + path).status == status
        view.locator("main").get_by_role("link", name="Lindhaven").click()
        view.wait_for_selector(".answer")


def test_the_heat_map_shows_every_block_and_the_mean_of_all(browser: Any, url: str) -> None:
    with opened(browser, url + VIEWS["compare"], WIDE) as view:
        view.locator(".heat-map").wait_for()
        assert view.locator(".heat-map thead tr:first-child th").count() == 7
        assert view.evaluate(CUT, ".heat-map thead tr:first-child th") == []
        assert view.evaluate(CUT, ".card:has(> .heat-map), .scroll:has(.heat-map)") == []
        for width, height in (WIDE, DESKTOP):
            view.set_viewport_size({"width": width, "height": height})
            [last] = view.evaluate(BOXES, ".heat-map thead tr:last-child th:last-child")
            assert last[1] <= width - 24
        view.set_viewport_size({"width": PAPER, "height": 1000})
        view.emulate_media(media="print")
        assert view.evaluate("document.documentElement.scrollWidth") <= PAPER


def test_cities_with_the_same_share_have_the_same_place(browser: Any, url: str) -> None:
    def tied(route: Any) -> None:
        found = route.fetch().json()
        [first] = [c for c in found["cities"] if c["id"] == CITY]
        first["blocks"] = [1.0 for _ in first["blocks"]]
        found["cities"] = [first | {"id": name, "name": name} for name in ("Ahead", "Beside")] + [first]
        found["cities"].append(first | {"id": "low", "name": "Low", "blocks": [0.5 for _ in first["blocks"]]})
        route.fulfill(json=found)

    with opened(browser, url + VIEWS["now"]) as view:
        view.route("**/v1/compare?*", tied)
        view.goto(url + VIEWS["compare"])
        view.get_by_text("of target, place 1 of 4").wait_for()
        assert "3 cities lead with 100" in view.locator(".cell-card").inner_text()


def test_the_head_of_a_group_of_indicators_is_one_line_on_a_phone(browser: Any, url: str) -> None:
    with opened(browser, url + VIEWS["indicators"], PHONE) as view:
        heads = view.evaluate(BOXES, ".dense .group")
        assert len(heads) == 7
        assert [h for h in heads if h[3] - h[2] > 60] == []
        assert view.evaluate(CUT, ".dense .group > *") == []


def test_an_enlarged_map_shows_the_card_of_a_place_whole(browser: Any, url: str) -> None:
    with opened(browser, url + VIEWS["map"], ENLARGED) as view:
        view.wait_for_selector("body[data-map]")
        [card], [box] = view.evaluate(BOXES, ".map-card .card"), view.evaluate(BOXES, ".map-box")
        assert card[2] >= box[2]
        assert card[3] <= box[3]
        others = view.evaluate(BOXES, ".map-foot > .card, .map-controls .button")
        assert [other for other in others if meet(card, other)] == []


def test_a_number_stays_beside_its_unit(browser: Any, url: str) -> None:
    with opened(browser, url + VIEWS["devices"], DESKTOP) as view:
        texts = view.locator(".devices td:last-child").all_text_contents()
        assert any("\u00a0µg/m³" in text for text in texts)
        assert any("\u00a0kW" in text for text in texts), "thousands of watts are kilowatts"
        assert not [text for text in texts if re.search(r"\d [^\d·\s]", text)]


def test_the_time_of_a_stored_value_is_that_of_the_city(browser: Any, url: str) -> None:
    with opened(browser, url + VIEWS["indicator"]) as view:
        view.locator(".steps").first.wait_for()
        text = view.locator(".steps").first.inner_text()
        assert "Stored" in text
        assert not re.search(r"\dT\d\d:", text)


def test_a_heading_that_leaves_a_suspect_place_out_says_so(browser: Any, url: str) -> None:
    def suspected(route: Any) -> None:
        found = route.fetch().json()
        for device in found["devices"]:
            device["suspect_days"] = 9 if device["id"] == ODD else 0
        route.fulfill(json=found)

    with opened(browser, url + VIEWS["now"]) as view:
        view.route("**/v1/cities/*/devices", suspected)
        view.goto(url + VIEWS["map"])
        view.locator(".place .chip").first.wait_for()
        first = view.locator(".place").first.inner_text()
        assert "Suspect" in first
        assert "a suspect one is not named above" in view.locator(".map-head").first.inner_text()


def test_the_blocks_of_a_dimension_are_one_row_on_a_wide_page(browser: Any, url: str) -> None:
    with opened(browser, url + VIEWS["now"], WIDE) as view:
        view.locator(".rows .cells").first.wait_for()
        rows = view.evaluate(BOXES, ".rows .cells")
        assert len(rows) == 7
        assert [r for r in rows if r[3] - r[2] > 14] == []
