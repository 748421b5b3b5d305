"""No data, old data, a part of the data, an error, a slow API, a lost connection: each is said, in a real Chromium."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from adapters.sqlite.store import SqliteStore
from adapters.store import CityRecord, Heartbeat
from telemetry.kpi_value import StoredKpi
from telemetry.periods import Period
from telemetry.windows import DAY, HOUR, MINUTE
from tests.api.city import CITY, NOW, config, kpi, put_windows
from tests.api.conftest import running
from tests.api.stores import shaky
from tests.browser import page
from tests.page.city import page_config, put_devices, seed_page
from tests.page.opened import DESKTOP, READY, VIEWS, heading, opened, until_asked

# The pauses of the page, twenty times as short.
HASTE = "const late = setTimeout; window.setTimeout = (f, ms, ...more) => late(f, ms / 20, ...more);"
END = NOW - NOW % HOUR


def write(store: SqliteStore, value: float) -> None:
    """Change PM2.5 of the last 24 hours."""
    period = Period("24h", "24h", END - DAY, END)
    changed = kpi("EN:EN:AQ:1C", "pm2_5", period, value=value)
    store.put_kpis([StoredKpi(kpi=changed, changed=NOW, updated=NOW)])


def test_the_page_follows_changes_by_itself(browser: Any, store: SqliteStore, serving: Callable[..., str]) -> None:
    with opened(browser, serving(store) + VIEWS["now"]) as view:
        assert "4 things" in heading(view)
        write(store, 77.7)
        view.locator(".pollutants").get_by_text("77.7").wait_for()
        assert view.locator("#state").inner_text().startswith("Live")


def test_a_store_that_does_not_answer_is_said_until_it_does(browser: Any, tmp_path: Path, serving: Any) -> None:
    store = shaky(tmp_path)
    with opened(browser, serving(store) + VIEWS["devices"]) as view:
        store.away = True
        view.get_by_text("The server's store does not answer.").wait_for()
        store.away = False
        view.locator("#notes .note").wait_for(state="detached")


def test_values_that_stopped_changing_are_said(browser: Any, store: SqliteStore, serving: Callable[..., str]) -> None:
    put_devices(store, page_config()["device"])
    late = serving(store, clock=lambda: NOW + 3 * HOUR)
    with opened(browser, late + VIEWS["now"]) as view:
        view.locator("#notes").get_by_text("Readings stopped at 14:").wait_for()
        assert view.locator("body[data-stale]").count() == 1
        assert "kW at 14:" in view.locator(".card", has_text="Electricity").inner_text()


@pytest.mark.parametrize(
    ("stage", "ingest", "gateway", "next_step"),
    [
        ("No sensor has been heard since 14:", 5, 5, "check the sensors and their network"),
        ("No gateway has been heard since 15:", 5, 1800, "check that the gateway runs"),
        ("Ingest has not been heard since 15:", 900, 1800, "Start `cityvitals ingest` again"),
    ],
)
def test_the_banner_names_the_part_that_is_silent(
    browser: Any, store: SqliteStore, serving: Callable[..., str], stage: str, ingest: int, gateway: int, next_step: str
) -> None:
    put_devices(store, page_config()["device"])
    now = NOW + 80 * MINUTE
    store.put_heartbeats(
        [Heartbeat("ingest", "i", now - 1000 * ingest), Heartbeat("gateway", "g", now - 1000 * gateway)]
    )
    with opened(browser, serving(store, clock=lambda: now) + VIEWS["now"]) as view:
        view.locator("#notes").get_by_text(stage).wait_for()
        assert next_step in view.locator("#notes").inner_text()


def test_what_a_gateway_counts_of_itself_hides_no_silence(
    browser: Any, store: SqliteStore, serving: Callable[..., str]
) -> None:
    put_devices(store, page_config()["device"])
    put_windows(store, [NOW + 3 * HOUR - MINUTE], ("gateway-1", "gw_stored"))
    with opened(browser, serving(store, clock=lambda: NOW + 3 * HOUR) + VIEWS["now"]) as view:
        view.locator("#notes").get_by_text("Readings stopped at 14:").wait_for()


def test_a_lost_connection_is_said_and_values_stay(browser: Any, store: SqliteStore) -> None:
    with page(browser, "about:blank", DESKTOP) as (view, _):
        with running(store) as address:
            view.clock.set_fixed_time(datetime.fromtimestamp(NOW / 1000, UTC))
            view.goto(address)
            view.wait_for_selector(".pollutants")
        view.locator("#notes").get_by_text("The connection to the server is lost.").wait_for()
        assert view.locator(".pollutants li").count() == 5


def test_a_city_without_devices_and_values_says_what_to_do(browser: Any, tmp_path: Path, serving: Any) -> None:
    store = SqliteStore(tmp_path / "new.db")
    store.put_city(CityRecord(CITY, {**config(), "device": []}, 60_000))
    url = serving(store)
    with opened(browser, url + VIEWS["now"]) as view:
        assert heading(view) == "Lindhaven has no device yet"
        assert "The first step is to connect one." in view.locator("main").inner_text()
        for name in ("map", "devices"):
            view.goto(url + VIEWS[name])
            view.wait_for_selector(READY)
            assert heading(view).startswith("No device is registered")
        view.goto(f"{url}/c/{CITY}/indicators")
        view.wait_for_selector(READY)
        assert "0 of 91 indicators have a figure" in heading(view)


def test_an_empty_store_says_what_to_do(browser: Any, tmp_path: Path, serving: Any) -> None:
    with opened(browser, serving(SqliteStore(tmp_path / "empty.db"))) as view:
        assert heading(view).startswith("There is no city in the store yet.")


def test_a_city_with_values_and_no_readings_has_cards_that_say_so(browser: Any, tmp_path: Path, serving: Any) -> None:
    """A part of what the view needs is missing: the other cards live on."""
    store = SqliteStore(tmp_path / "part.db")
    seed_page(store)
    store.put_city(CityRecord(CITY, config(), 60_000))  # the same city, of whose devices no hour is in the store
    with opened(browser, serving(store) + VIEWS["now"]) as view:
        assert "No value" not in heading(view)
        assert view.locator(".year li").count() == 3


def test_an_error_of_the_api_is_said_and_asked_about_again(browser: Any, url: str) -> None:
    with page(browser, "about:blank", DESKTOP) as (view, _):
        view.add_init_script(HASTE)
        busy = {"status": 503, "json": {"detail": "The store is busy."}}
        view.route("**/v1/**/devices", lambda route: route.fulfill(**busy))
        view.goto(url + VIEWS["devices"])
        view.get_by_role("heading", name="The store is busy.").wait_for()
        assert "tries again by itself" in view.locator("main").inner_text()
        view.unroute("**/v1/**/devices")
        view.get_by_role("heading", name="of 40 devices").wait_for()


def test_a_network_that_fails_at_first_is_tried_again(browser: Any, url: str) -> None:
    failed: set[str] = set()

    def once(route: Any) -> None:
        path = route.request.url
        if path in failed:
            route.continue_()
        else:
            failed.add(path)
            route.abort("connectionfailed")

    with page(browser, "about:blank", DESKTOP) as (view, _):
        view.add_init_script(HASTE)
        view.route("**/v1/cities**", once)
        view.goto(url + VIEWS["indicators"])
        view.get_by_role("heading", name="on target in May 2026").wait_for()
    assert len(failed) >= 3


def test_a_slow_api_shows_the_frame_and_shapes_at_once(browser: Any, url: str) -> None:
    with page(browser, "about:blank", DESKTOP) as (view, _):
        held: list[Any] = []
        view.route("**/now", lambda route: held.append(route))  # noqa: PLW0108 - a builtin is not a handler
        view.goto(url + VIEWS["now"])
        view.locator(".bones").wait_for()
        view.locator(".views a").nth(7).wait_for()
        assert heading(view) == "Loading …"
        until_asked(view, held)
        held[0].continue_()
        view.wait_for_selector(".answer")
