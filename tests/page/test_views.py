"""Every view in a real Chromium: it fits, has one heading, no error, nothing serious for axe, and can be looked at."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.page.opened import DESKTOP, NARROW, PHONE, READY, SHOTS, VIEWS, heading, opened

# axe-core 4.13 or later, as its authors published it; the package around it is not needed.
AXE = Path((find_spec("axe_playwright_python").submodule_search_locations or [""])[0]) / "axe.min.js"  # type: ignore[union-attr]
CONTRAST = (Path(__file__).parent / "contrast.js").read_text()

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
