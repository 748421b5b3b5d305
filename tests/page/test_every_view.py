"""Every view in every state: slow, refused, back again, without data, old, partly there, and without its server."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from adapters.sqlite.store import SqliteStore
from adapters.store import CityRecord
from api.access import add_token
from telemetry.kpi_value import StoredKpi
from telemetry.periods import Period
from telemetry.windows import DAY, HOUR
from tests.api.city import CITY, NOW, config, kpi
from tests.api.conftest import running
from tests.browser import page
from tests.page.city import page_config, put_devices
from tests.page.opened import DESKTOP, READY, VIEWS, heading, opened, shot, until_asked
from tests.page.test_states import HASTE

# What a view asks for first, and would be nothing without.
ASKS = {
    "now": "**/v1/**/now",
    "map": "**/v1/**/devices",
    "indicators": "**/v1/**/indicators?*",
    "indicator": "**/v1/**/about",
    "devices": "**/v1/**/devices",
    "device": "**/v1/**/devices/air_reference-03",
    "compare": "**/v1/compare?*",
    "plan": "**/v1/**/plan/charging?*",
    "outlook": "**/v1/**/devices",
    "report": "**/v1/**/indicators?*",
    "admin": "**/v1/me",
}
NAMED = {name: path for name, path in VIEWS.items() if name in ASKS}
# What the frame says is the same around all of them; CITYVITALS_LONG looks at each.
SOME = (
    NAMED if os.environ.get("CITYVITALS_LONG") else {name: NAMED[name] for name in ("now", "map", "indicator", "admin")}
)
CLASS = {
    "device": "devices",
    "indicator": "indicators",
    "outlook": "plan",
}  # of the view's element, where it is not the name
EMPTY = {
    "now": "Lindhaven has no device yet",
    "map": "No device is registered",
    "indicators": "0 of 91 indicators have a figure",
    "indicator": "no value for May 2026",
    "devices": "No device is registered",
    "device": "There is no device",
    "compare": "There is nothing to compare Lindhaven with yet",
    "plan": "charging points fit",
    "outlook": "This month's peak and the next 48 hours",
    "report": "more figures make",
    "admin": "other rights need a token",
}


@pytest.mark.parametrize("name", NAMED)
def test_a_view_that_is_slow_then_refused_says_both_and_comes_back(browser: Any, url: str, name: str) -> None:
    held: list[Any] = []
    busy = {"status": 503, "json": {"detail": "The store is busy."}}
    state = "hold"

    def answer(route: Any) -> None:
        if state == "hold":
            held.append(route)
        elif state == "busy":
            route.fulfill(**busy)
        else:
            route.continue_()

    with page(browser, "about:blank", DESKTOP) as (view, _):
        view.clock.set_fixed_time(datetime.fromtimestamp(NOW / 1000, UTC))
        view.add_init_script(HASTE)
        view.route(ASKS[name], answer)
        view.goto(url + NAMED[name])
        view.locator(".bones").wait_for()
        until_asked(view, held)
        assert (heading(view), view.locator(".views a").count()) == ("Loading …", 8)
        shot(view, f"{name}-slow")
        state = "busy"
        for route in held:
            route.fulfill(**busy)
        view.get_by_role("heading", name="The store is busy.").wait_for()
        view.locator("main").get_by_text("tries again by itself").first.wait_for()
        shot(view, f"{name}-refused")
        state = "free"
        view.locator(f"main .view-{CLASS.get(name, name)}").wait_for()
        view.get_by_role("heading", name="The store is busy.").wait_for(state="detached")
        assert heading(view)


def test_views_say_when_readings_stopped_and_the_connection_is_lost(browser: Any, store: SqliteStore) -> None:
    put_devices(store, page_config()["device"])
    tabs: dict[str, Any] = {}
    try:
        with running(store, clock=lambda: NOW + 3 * HOUR) as url:
            for name, path in SOME.items():
                # A context each: a browser opens six connections to a server, and every view follows the live feed.
                tabs[name] = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
                tabs[name].goto(url + path)
                tabs[name].wait_for_selector(READY)
                tabs[name].locator("#notes").get_by_text("Readings stopped at 14:").wait_for()
                assert tabs[name].locator("body[data-stale]").count() == 1, name
                shot(tabs[name], f"{name}-old")
            before = {name: heading(tab) for name, tab in tabs.items()}
        for name, tab in tabs.items():
            tab.locator("#notes").get_by_text("The connection to the server is lost.").wait_for()
            assert heading(tab) == before[name], "what was shown must stay"
            shot(tab, f"{name}-lost")
    finally:
        for tab in tabs.values():
            tab.context.close()


def test_every_view_of_a_city_without_data_says_what_is_missing(browser: Any, tmp_path: Path, serving: Any) -> None:
    store = SqliteStore(tmp_path / "new.db")
    store.put_city(CityRecord(CITY, {**config(), "device": []}, 60_000))
    url = serving(store)
    with opened(browser, url + NAMED["now"], errors_expected=True) as view:
        for name, path in NAMED.items():
            view.goto(url + path)
            view.wait_for_selector(READY)
            assert EMPTY[name] in heading(view), (name, heading(view))
            assert view.locator("main").inner_text().count("No value") <= 1, name
            shot(view, f"{name}-empty")


def test_a_city_that_only_reports_figures_is_not_said_to_have_stopped(
    browser: Any, tmp_path: Path, serving: Any
) -> None:
    store = SqliteStore(tmp_path / "figures.db")
    store.put_city(CityRecord(CITY, {**config(), "device": []}, 60_000))
    reported = kpi("EN:EN:AQ:1C", "pm2_5", Period("year", "2025", NOW - 500 * DAY, NOW - 135 * DAY), value=2.6)
    store.put_kpis([StoredKpi(kpi=reported, changed=NOW - 9 * DAY, updated=NOW - 9 * DAY)])
    with opened(browser, serving(store) + NAMED["now"]) as view:
        view.locator(".rows").wait_for()
        view.wait_for_timeout(500)  # the live feed's first snapshot
        assert view.locator("#notes .note").count() == 0


@pytest.mark.parametrize(
    ("name", "asks", "stands"),
    [
        ("indicator", "**/limits?*", ".plot"),
        ("indicator", "**/explain?*", ".plot"),
        ("device", "**/hours?*", ".pairs"),
        ("map", "**/areas", ".places .place"),
        ("plan", "**/plan/sessions", ".plot"),
        ("outlook", "**/plan/peak*", ".card"),
        ("scenario", "**/plan/sessions", ".plan-inputs"),
    ],
)
def test_a_part_that_fails_leaves_the_others(browser: Any, url: str, name: str, asks: str, stands: str) -> None:
    with page(browser, "about:blank", DESKTOP) as (view, _):
        view.clock.set_fixed_time(datetime.fromtimestamp(NOW / 1000, UTC))
        view.add_init_script(HASTE)
        view.route(asks, lambda route: route.fulfill(status=422, json={"detail": "This part is away."}))
        view.goto(url + VIEWS[name].replace("show=no2", "show=power"))
        view.wait_for_selector(READY)
        view.locator(stands).first.wait_for()
        assert heading(view) != "This part is away."
        shot(view, f"{name}-part")


def test_a_card_of_admin_that_fails_leaves_the_others(browser: Any, store: SqliteStore, tmp_path: Path) -> None:
    token = add_token(tmp_path / "tokens", "boss", ["admin"])
    with running(store, tokens=tmp_path / "tokens") as url, page(browser, "about:blank", DESKTOP) as (view, _):
        view.add_init_script(f"sessionStorage.setItem('cityvitals-token', '{token}')")
        view.route("**/v1/admin/health", lambda route: route.fulfill(status=422, json={"detail": "This part is away."}))
        view.goto(url + VIEWS["admin"])
        view.wait_for_selector(READY)
        view.get_by_text("This part is away.").wait_for()
        view.get_by_role("heading", name="Tokens").wait_for()
        shot(view, "admin-part")


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/c/nope/map", "There is no city 'nope'"),
        (f"/c/{CITY}/k/EN:EN:AQ:1C/pm2_5?period=2026-13", "2026-13"),
        (f"/c/{CITY}/indicators?period=yesterday", "yesterday"),
        (f"/c/{CITY}/k/XX:1C", "'XX:1C' is not a KPI code"),
        (f"/c/{CITY}/d/%3Cscript%3E", "There is no device '<script>'"),
        (f"/compare?city={CITY}&year=20x6", "20x6"),
        (f"/c/{CITY}/plan?n=12&a=zzz", ""),
    ],
)
def test_what_is_unknown_in_an_address_is_named_not_replaced(browser: Any, url: str, path: str, words: str) -> None:
    with opened(browser, url + path, errors_expected=True) as view:
        assert words in view.locator("main").inner_text()
        assert view.locator(".views a").count() == 8
        assert heading(view)


def test_a_language_whose_file_lacks_texts_shows_english_for_them(browser: Any, url: str) -> None:
    """A file that did not load whole: no key is ever shown, and what is there is used."""
    few = {"view.devices": "Geräte", "frame.more": "Mehr"}
    with page(browser, "about:blank", DESKTOP) as (view, _):
        view.clock.set_fixed_time(datetime.fromtimestamp(NOW / 1000, UTC))
        view.route("**/static/texts/de*.json", lambda route: route.fulfill(json=few))
        view.goto(f"{url}{NAMED['devices']}?lang=de")
        view.wait_for_selector(READY)
        assert "of 40 devices need a look" in heading(view)
        assert view.locator(".views").get_by_role("link", name="Geräte").count() == 1
        assert not [word for word in view.locator("body").inner_text().split() if word.count(".") > 1 and "_" in word]
