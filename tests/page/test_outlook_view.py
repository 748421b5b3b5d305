"""What comes, on the page: the month's peak and what is left, and a forecast where past ones were better."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from telemetry.windows import DAY
from tests.api.conftest import running
from tests.browser import page
from tests.page.opened import DESKTOP, NARROW, PHONE, READY, SHOTS, Scheme, heading
from tests.page.test_views import axe
from tests.planning import long_town

NOW = long_town.START + 70 * DAY  # ten weeks of history
PLAN = "/c/long/plan?show=outlook"


@pytest.fixture(scope="module")
def young(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    store = long_town.stored(tmp_path_factory.mktemp("outlook"))
    with running(store, clock=lambda: NOW) as url:
        httpx.get(f"{url}/v1/cities/long/plan/forecast", timeout=120).raise_for_status()  # kept for the hour
        yield url
    store.close()


def at(view: Any, address: str) -> None:
    view.clock.set_fixed_time(datetime.fromtimestamp(NOW / 1000, UTC))
    view.goto(address)
    view.wait_for_selector(READY)
    view.locator(".bones").first.wait_for(state="detached")


@pytest.mark.parametrize(
    ("size", "scheme", "name"),
    [(DESKTOP, "light", "desktop"), (PHONE, "dark", "phone-dark"), (NARROW, "light", "narrow")],
)
def test_peak_and_forecast_stand_as_the_api_gives_them(
    browser: Any, young: str, size: tuple[int, int], scheme: Scheme, name: str
) -> None:
    api = f"{young}/v1/cities/long/plan"
    peak, found = (httpx.get(f"{api}/{part}", timeout=120).raise_for_status().json() for part in ("peak", "forecast"))
    with page(browser, "about:blank", size) as (view, errors):
        view.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        at(view, young + PLAN)
        view.locator("table").wait_for()
        words = view.locator("main").inner_text()
        for value in (peak["peak_kw"], peak["latest_kw"], peak["left_kw"]):
            assert f"{value:.0f}\u00a0kW" in words or f"{value:.1f}\u00a0kW" in words
        assert "Forecast, not measured" in words
        rows = view.locator("tbody tr")
        assert [rows.nth(i).locator(".chip").inner_text() for i in range(4)] == [
            "shown" if s["better"] else "not shown" for s in found["scores"]
        ]
        assert any(s["better"] for s in found["scores"])
        assert not view.evaluate("document.documentElement.scrollWidth > innerWidth")
        assert axe(view) == []
        SHOTS.mkdir(parents=True, exist_ok=True)
        view.screenshot(path=SHOTS / f"plan-outlook-{name}.png", full_page=True)
        assert errors == []


def test_a_limit_is_compared_and_a_station_can_be_chosen(browser: Any, young: str) -> None:
    with page(browser, "about:blank", DESKTOP) as (view, errors):
        at(view, young + PLAN)
        view.get_by_label("Limit of the tariff").fill("10")
        view.get_by_role("heading", name="over the limit").wait_for()
        view.get_by_label("Limit of the tariff").fill("5000")
        view.get_by_role("heading", name="are left below the limit").wait_for()
        assert "limit=5000" in view.url
        with view.expect_response("**/forecast?device=park&quantity=no2"):
            view.get_by_role("combobox", name="Forecast of").select_option("park:no2")
        view.get_by_role("heading", name="NO₂, park").wait_for(timeout=60_000)
        assert "of=park" in view.url
        assert errors == []


def test_what_cannot_be_forecast_is_said_beside_what_can(browser: Any, url: str) -> None:
    with page(browser, "about:blank", DESKTOP) as (view, _):
        at(view, url.rstrip("/") + "/c/lindhaven/plan?show=outlook")
        view.locator(".note").first.wait_for()
        assert heading(view).endswith("are left before the peak of the month rises")
        assert view.locator(".card").count() == 2
