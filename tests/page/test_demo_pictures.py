"""Pictures of every view of a running demo: desktop and phone, light and dark, and on paper; with CITYVITALS_LONG=1.

They lie in build/screenshots/demo, to be looked at beside a design; the test itself holds each view to what any picture
must show: it fits, has its heading, and no error.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser import page
from tests.page.opened import DESKTOP, PHONE, READY, SHOTS, Scheme, heading
from tests.page.test_walks import Demo, started

FOLDER = SHOTS / "demo"
# The address of each view, and what has to be there before it is looked at.
VIEWS = {
    "now": ("/c/demo", ".look"),
    "map": ("/c/demo/map?place=air-03", "body[data-map]"),
    "map-charging": ("/c/demo/map?show=charging&place=charger-05", "body[data-map]"),
    "indicators": ("/c/demo/indicators", ".wheel"),
    "indicator": ("/c/demo/k/EN:EN:AQ:1C/pm2_5", ".steps"),
    "indicator-year": ("/c/demo/k/EN:EN:AQ:1C/pm2_5?period=365d", ".limits"),
    "indicator-reported": ("/c/demo/k/EC:ICT:ICT:1C", ".limits"),
    "devices": ("/c/demo/devices", "tbody tr"),
    "device": ("/c/demo/d/air-03?quantity=pm2_5", ".plot"),
    "compare": ("/compare?city=demo", ".heat-map"),
    "plan": ("/c/demo/plan?n=40", ".plot"),
    "scenario": ("/c/demo/plan?show=scenario", ".plan-inputs"),
    "scenario-answer": ("/c/demo/plan?show=scenario&run=1", ".scenario-table"),
    "outlook": ("/c/demo/plan?show=outlook", "table"),
    "report": ("/c/demo/report", ".todo"),
    "admin": ("/admin?city=demo", ".card"),
    "admin-operator": ("/admin?city=demo", ".rejects"),
    "embed": ("/embed/demo/EN:EN:AQ:1C/pm2_5?step=month", ".plot"),
    "nothing": ("/c/nope", "h1"),
}
SCHEMES: tuple[Scheme, Scheme] = ("light", "dark")
SIZES = {"desktop": DESKTOP, "phone": PHONE}
PRINT = [n for n in VIEWS if n not in ("embed", "nothing")]

pytestmark = pytest.mark.skipif(
    not os.environ.get("CITYVITALS_LONG"), reason="94 pictures of a demo of a year; set CITYVITALS_LONG=1"
)


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with started(tmp_path_factory.mktemp("pictures"), "366") as running:
        yield running


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_of_the_demo_can_be_looked_at(browser: Any, year: Demo, name: str, tmp_path: Path) -> None:
    address, there = VIEWS[name]
    for label, size in SIZES.items():
        with page(browser, "about:blank", size) as (view, errors):
            if name.endswith("-operator"):
                token = year.tokens["operator"]
                view.add_init_script(f"sessionStorage.setItem('cityvitals-token', '{token}')")
            view.emulate_media(reduced_motion="reduce")
            view.goto(year.url + address)
            view.wait_for_selector(READY)
            view.locator(there).first.wait_for(timeout=120_000)
            for bones in view.locator(".bones").all():
                bones.wait_for(state="detached", timeout=120_000)
            assert view.evaluate("document.documentElement.scrollWidth") <= size[0], label
            for scheme in SCHEMES:
                view.emulate_media(color_scheme=scheme)
                view.wait_for_timeout(100)  # the map draws its ground again
                view.screenshot(path=FOLDER / f"{name}-{label}-{scheme}.png")
            view.emulate_media(color_scheme="light")
            view.screenshot(path=FOLDER / f"{name}-{label}-whole.png", full_page=True)
            if label == "desktop" and name in PRINT:
                view.emulate_media(media="print")
                view.pdf(path=FOLDER / f"{name}.pdf", format="A4", print_background=True)
            assert heading(view)
            left = [e for e in errors if not e.endswith("net::ERR_ABORTED") and not (name == "nothing" and "404" in e)]
            assert left == [], label
