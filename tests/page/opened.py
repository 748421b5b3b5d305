"""A view opened for a test."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from tests.api.city import CITY, NOW
from tests.browser import page

SHOTS = Path(__file__).parents[2] / "build" / "screenshots"
DESKTOP, PHONE, NARROW = (1280, 800), (390, 844), (320, 700)
# Every view by its address; each is looked at in every test that goes through all views.
VIEWS = {
    "now": f"/c/{CITY}",
    "map": f"/c/{CITY}/map?show=no2&place=air_reference-03",
    "indicators": f"/c/{CITY}/indicators?period=2026-05",
    "indicator": f"/c/{CITY}/k/EN:EN:AQ:1C/no2?step=month&period=2026-05",
    "devices": f"/c/{CITY}/devices",
    "device": f"/c/{CITY}/d/air_reference-03?quantity=no2",
    "compare": f"/compare?city={CITY}&year=2026",
    "plan": f"/c/{CITY}/plan?n=12",
    "scenario": f"/c/{CITY}/plan?show=scenario",
    "outlook": f"/c/{CITY}/plan?show=outlook",
    "report": f"/c/{CITY}/report?year=2026",
    "admin": f"/admin?city={CITY}",
    "embed": f"/embed/{CITY}/EN:EN:AQ:1C/no2?step=month",
}
Scheme = Literal["light", "dark"]
READY = "body[data-ready]"


@contextmanager
def opened(
    browser: Any, address: str, size: tuple[int, int] = DESKTOP, scheme: Scheme = "light", errors_expected: bool = False
) -> Iterator[Any]:
    """The view once it stands there, at the time of the test's city; no error may have occurred by the end."""
    with page(browser, "about:blank", size) as (view, errors):
        view.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        view.clock.set_fixed_time(datetime.fromtimestamp(NOW / 1000, UTC))
        view.goto(address)
        view.wait_for_selector(READY)
        yield view
        left = [error for error in errors if not error.endswith("net::ERR_ABORTED")]  # a stream ends when it is left
        assert errors_expected or left == [], left


def shot(view: Any, name: str) -> None:
    """In the long mode, a picture of a state of a view, to be looked at."""
    if os.environ.get("CITYVITALS_LONG"):
        (SHOTS / "states").mkdir(parents=True, exist_ok=True)
        view.screenshot(path=SHOTS / "states" / f"{name}.png")


def heading(view: Any) -> str:
    """The view's answer."""
    return str(view.locator("h1").first.inner_text())


def until_asked(view: Any, held: list[Any]) -> None:
    """Wait until a request has reached the test: the frame may be drawn before the browser hands it over."""
    while not held:
        view.wait_for_timeout(20)  # lets the browser's events in; the test's own limit ends it
