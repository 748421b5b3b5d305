"""The live page follows changes, and says so when it cannot, in a real Chromium."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from adapters.sqlite.store import SqliteStore
from adapters.store import CityRecord
from telemetry.windows import HOUR
from tests.api.city import CITY, NOW, config, put_hours, seed
from tests.api.conftest import running
from tests.api.pages import DESKTOP, card, shown, write
from tests.api.stores import shaky
from tests.browser import page


def test_the_page_follows_changes_by_itself(browser: Any, tmp_path: Path, serving: Callable[..., str]) -> None:
    store = SqliteStore(tmp_path / "live.db")
    seed(store)
    with shown(browser, serving(store) + "/?period=day") as view:
        write(store, "EN:EN:AQ:1C", "pm2_5", 77.7)
        card(view, "EN:EN:AQ:1C", "pm2_5").get_by_text("77.7").wait_for()
        assert view.locator("#state-text").inner_text() == "Live"
        assert view.locator("#state-time").inner_text() == "updated 14:20:00"
        assert "77.7 µg/m³" in view.locator("#air-chart .readout").inner_text()
        assert "updated" in view.locator("#announce").text_content()


def test_a_store_that_goes_away_is_plain_to_see_until_it_is_back(
    browser: Any, tmp_path: Path, serving: Callable[..., str]
) -> None:
    store = shaky(tmp_path)
    with shown(browser, serving(store)) as view:
        store.away = True
        view.get_by_text("The server's store does not answer. The values below are as of 14:19:56.").wait_for()
        assert view.locator("#state-text").inner_text() == "Store unavailable"
        store.away = False
        view.locator("#banner").wait_for(state="hidden")
        assert view.locator("#state-text").inner_text() == "Live"


def test_values_that_stopped_changing_are_plain_to_see(browser: Any, seeded: Path, serving: Callable[..., str]) -> None:
    late = serving(SqliteStore(seeded), clock=lambda: NOW + 3 * 3_600_000)
    with shown(browser, late) as view:
        view.get_by_text("No value has changed since 14:19:56. Check that gateways and ingest are running.").wait_for()
        assert view.locator("#state").get_attribute("data-state") == "quiet"


def test_readings_that_stopped_are_plain_to_see_though_values_still_change(
    browser: Any, tmp_path: Path, serving: Callable[..., str]
) -> None:
    store = SqliteStore(tmp_path / "stopped.db")
    seed(store)
    put_hours(store, [NOW - 50 * HOUR, NOW - 5 * HOUR])
    with shown(browser, serving(store)) as view:
        view.get_by_text("There are no readings after 10:00:00. Every value below is of that time or older.").wait_for()
        assert "18 Jun 2026, 10:00" in view.locator("#facts").inner_text()


def test_a_lost_connection_is_plain_to_see(browser: Any, tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "lost.db")
    seed(store)
    with page(browser, "about:blank", DESKTOP) as (view, _):
        with running(store) as address:
            view.goto(address)
            view.wait_for_selector(".card")
        view.get_by_text("The connection to the server is lost; retrying.").wait_for()
        assert "12.0" in card(view, "EN:EN:AQ:1C", "no2").inner_text()


def test_a_city_without_values_says_so_and_fills_when_there_are_some(
    browser: Any, tmp_path: Path, serving: Callable[..., str]
) -> None:
    store = SqliteStore(tmp_path / "new.db")
    store.put_city(CityRecord(CITY, config(), 60_000))
    with page(browser, serving(store) + "/?period=day", DESKTOP) as (view, errors):
        view.get_by_text("The city has no KPI value yet.").wait_for()
        write(store, "LOCAL:E:METERED", "", 42.0)
        card(view, "LOCAL:E:METERED").wait_for()
        assert errors == []


def test_an_empty_store_says_what_to_do(browser: Any, tmp_path: Path, serving: Callable[..., str]) -> None:
    with page(browser, serving(SqliteStore(tmp_path / "empty.db")), DESKTOP) as (view, errors):
        view.get_by_text("There is no city in the store yet.").wait_for()
        assert errors == []
