"""The change against the period before, in a real Chromium: only where both values are whole and mean the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from adapters.sqlite.store import SqliteStore
from telemetry.kpi_value import StoredKpi
from telemetry.periods import parse_period
from tests.api.city import CITY, NOW, ZONE, kpi
from tests.page.opened import READY, opened

CODE = "LOCAL:E:METERED"
SAME: dict[str, Any] = {"value": 1000.0, "coverage": 0.99, "status": "final"}
BEFORE, MONTH, RUNNING = "2026-04", "2026-05", "2026-06"
LESS = {"value": 900.0}
# What differs in the month before, and in the month; what the page says.
CASES: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({}, LESS, "10 % below April 2026"),
    ({}, {"value": 1250.0}, "25 % above April 2026"),
    ({}, {"value": 1002.0}, "as in April 2026"),
    ({"coverage": 0.95}, LESS, "10 % below April 2026"),
    ({"coverage": 0.90}, LESS, ""),
    ({"coverage": 0.5, "status": "partial"}, {**LESS, "coverage": 0.5}, ""),
    ({}, {**LESS, "status": "partial"}, ""),
    ({"unit": "MWh"}, LESS, ""),
    ({"method": "metered-energy/1"}, LESS, ""),
    ({"value": None, "status": "insufficient"}, LESS, ""),
    ({"value": 0.0}, LESS, ""),
]


def write(store: SqliteStore, **of: dict[str, Any]) -> None:
    """Change the values of months: `m2026_04={...}`."""
    rows = [kpi(CODE, "", parse_period(m[1:].replace("_", "-"), ZONE), **{**SAME, **f}) for m, f in of.items()]
    store.put_kpis([StoredKpi(kpi=row, changed=NOW, updated=NOW) for row in rows])


def said(view: Any, address: str, month: str) -> str:
    """The text beside the value of the month."""
    view.goto(f"{address}/c/{CITY}/k/{CODE}?step=month&period={month}")
    view.wait_for_selector(READY)
    text: str = view.locator(".card").filter(has=view.locator("p.value")).first.inner_text()
    return text.replace("\u00a0", " ")


def test_a_month_is_compared_with_the_one_before_where_they_are_alike(
    browser: Any, store: SqliteStore, serving: Callable[..., str]
) -> None:
    address = serving(store)
    with opened(browser, address, errors_expected=True) as view:  # a busy machine's 503, which the page asks again
        for before, now, says in CASES:
            write(store, m2026_04=before, m2026_05=now)
            text = said(view, address, MONTH)
            assert ("April 2026" in text, says in text) == (bool(says), True), (before, now, text)
        write(store, m2026_05={}, m2026_06={})
        text = said(view, address, RUNNING)
        assert "000 kWh" in text
        assert "May 2026" not in text
