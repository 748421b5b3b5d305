"""What the live page shows, in a real Chromium."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from adapters.sqlite.store import SqliteStore
from adapters.store import Store
from telemetry.kpi_value import StoredKpi
from telemetry.periods import calendar_period, parse_period
from tests.api.city import NOW, TODAY, ZONE, kpi, seed
from tests.api.pages import DESKTOP, NARROW, card, complete, shown
from tests.browser import PHONE

SHOTS = Path(__file__).parents[2] / "build" / "screenshots"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("name", "size"), [("desktop", DESKTOP), ("phone", PHONE), ("narrow", NARROW)])
def test_the_page_fits_and_has_no_error(browser: Any, url: str, name: str, size: tuple[int, int], scheme: str) -> None:
    with shown(browser, url, size, scheme) as view:
        assert view.evaluate("document.documentElement.scrollWidth") == size[0]
        assert view.locator(".card").count() == 11
        SHOTS.mkdir(parents=True, exist_ok=True)
        view.screenshot(path=SHOTS / f"live-{name}-{scheme}.png", full_page=True)


@pytest.mark.parametrize(("size", "columns"), [(DESKTOP, 3), (PHONE, 1)])
def test_the_width_is_used_and_nothing_touches_the_edge(
    browser: Any, url: str, size: tuple[int, int], columns: int
) -> None:
    with shown(browser, url, size) as view:
        boxes = [card.bounding_box() for card in view.locator(".card").all()]
        assert len({round(box["x"]) for box in boxes}) == columns
        left, right = min(b["x"] for b in boxes), max(b["x"] + b["width"] for b in boxes)
        assert left >= 12
        assert right <= size[0] - 12
        assert right - left >= min(size[0] - 80, 1100)
        assert view.locator("h1").bounding_box()["x"] >= 12


def test_every_value_stands_with_unit_coverage_status_and_devices(browser: Any, url: str) -> None:
    with shown(browser, url) as view:
        no2 = card(view, "EN:EN:AQ:1C", "no2").inner_text()
        assert re.search(r"12\.0\s+µg/m³", no2)
        assert "Nitrogen dioxide, NO₂" in no2
        assert "EN:EN:AQ:1C" in no2
        assert re.search(r"99\.1 % covered · 9 devices", no2)
        assert "Provisional" in no2
        assert re.search(r"▼ 9\.4 % below 17 Jun \(better\)", no2)
        for text in view.locator(".card").all_inner_texts():
            assert re.search(r"\d\n? ?(µg/m³|kWh|%|count)", text), text
            assert "covered" in text


def test_the_pollutants_stand_against_the_guideline_that_is_theirs(browser: Any, url: str) -> None:
    with shown(browser, url) as view:
        rows = {
            part: view.locator(f'.air-row[data-part="{part}"]').inner_text() for part in ("no2", "pm10", "o3", "so2")
        }
        assert "✕ 2.15 times the annual guideline 10." in rows["no2"]
        assert "✓ Within the annual guideline 15." in rows["pm10"]
        assert "No annual guideline exists" in rows["o3"]
        assert "peak season" in rows["o3"]
        assert "✓ Within the 24 h guideline 40; no annual guideline exists." in rows["so2"]
        assert "Annual mean: Insufficient: coverage 61 % of the 75 % needed." in rows["so2"]
        assert "365 days to 18 Jun 2026" in view.locator("#air-basis").inner_text()


def test_a_missing_value_says_why(browser: Any, url: str) -> None:
    with shown(browser, f"{url}/?period=365d") as view:
        text = card(view, "EN:EN:AQ:1C", "so2").inner_text()
        assert "No value" in text
        assert "Insufficient: coverage 61 % of the 75 % needed. Left out, capture under 75 %" in text
        assert "Last 365 days: 11 indicators, 1 of them without enough data" in view.locator("#kpi-count").inner_text()


def test_an_indicator_that_never_had_a_value_waits_below_with_its_reason(
    browser: Any, tmp_path: Path, serving: Callable[..., str]
) -> None:
    store = SqliteStore(tmp_path / "waiting.db")
    seed(store)
    put_waiting(store, "EN:E:E:3C", "no residential heat meter is registered")
    with shown(browser, f"{serving(store)}/?period=year") as view:
        assert view.locator(".card").count() == 11
        view.get_by_text("1 more indicator needs devices or figures").click()
        text = view.locator("#waiting-list").inner_text()
        assert "Residential Thermal Energy Consumption EN:E:E:3C" in text
        assert "No residential heat meter is registered." in text


def put_waiting(store: Store, code: str, why: str) -> None:
    year = calendar_period("year", TODAY, ZONE)
    value = kpi("EN:E:E:2C", "", year, value=None, coverage=0.0, status="insufficient", n_devices=0, notes=why)
    store.put_kpis([StoredKpi(kpi=msgspec.structs.replace(value, code=code), changed=NOW, updated=NOW)])


def test_a_sum_that_still_runs_is_not_compared_with_a_whole_period(browser: Any, url: str) -> None:
    with shown(browser, f"{url}/?period=month") as view:
        assert re.search(r"so far; May 2026: [\d,]+ kWh", card(view, "LOCAL:E:METERED").inner_text())


def test_the_period_of_the_newest_day_is_the_citys_own(browser: Any, url: str) -> None:
    with shown(browser, f"{url}/?period=day") as view:
        details = card(view, "LOCAL:E:METERED").locator("details")
        details.locator("summary").click()
        start = parse_period("2026-06-18", ZONE).start
        assert start < NOW
        assert "18 Jun 2026, 00:00 to 19 Jun 2026, 00:00" in details.inner_text()


def test_several_cities_can_be_chosen(browser: Any, tmp_path: Path, serving: Callable[..., str]) -> None:
    store = SqliteStore(tmp_path / "two.db")
    seed(store)
    seed(store, "askvik", "Askvik")
    url = serving(store)
    with shown(browser, f"{url}/?city=lindhaven") as view:
        assert view.locator("h1").inner_text() == "Lindhaven"
        view.locator("#city").select_option("askvik")
        view.wait_for_url("**/?city=askvik")
        view.get_by_role("heading", name="Askvik").wait_for()
        complete(view)
