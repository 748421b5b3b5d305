"""The city snapshot on the live page, and figures a city reports."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from adapters.sqlite.store import SqliteStore
from reporting.figures.reported import Reported, as_value
from telemetry.kpi_value import StoredKpi
from tests.api.city import CITY, NOW, ZONE, seed
from tests.api.pages import card, shown


def test_the_snapshot_opens_on_the_page_and_is_fetched_only_then(browser: Any, url: str) -> None:
    with shown(browser, url) as view:
        assert view.locator("#snapshot img").count() == 0
        view.locator("#snapshot-name").click()
        picture = view.locator("#snapshot img")
        picture.wait_for()
        assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
        assert "City snapshot of 2026" in (picture.get_attribute("alt") or "")


def test_a_reported_figure_stands_beside_the_derived_one(
    browser: Any, serving: Callable[..., str], tmp_path: Path
) -> None:
    store = SqliteStore(tmp_path / "reported.db")
    seed(store)
    for code, part in (("EN:EN:AQ:1C", "no2"), ("SC:SH:SI:2C", "")):
        figure = Reported(code=code, part=part, year=2026, value=0.27, quality="survey", source="Statistics office")
        store.put_kpis([StoredKpi(kpi=as_value(figure, CITY, ZONE), changed=NOW - 5000, updated=NOW - 5000)])
    with shown(browser, f"{serving(store)}/?period=year") as view:
        beside = card(view, "EN:EN:AQ:1C", "no2:reported")
        assert "reported by the city" in beside.inner_text()
        assert "reported by the city" in beside.inner_text()
        assert "reported by the city" in card(view, "SC:SH:SI:2C").inner_text()
        assert "covered" in card(view, "EN:EN:AQ:1C", "no2").inner_text()
