"""The live page opened for a test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from adapters.store import Store
from telemetry.kpi_value import StoredKpi
from telemetry.periods import calendar_period
from tests.api.city import NOW, TODAY, ZONE, kpi
from tests.browser import page

DESKTOP = (1366, 900)
NARROW = (360, 740)


@contextmanager
def shown(browser: Any, address: str, size: tuple[int, int] = DESKTOP, scheme: str = "light") -> Iterator[Any]:
    """The page, once its values and charts stand there; no error may have occurred by the end."""
    with page(browser, "about:blank", size) as (view, errors):
        view.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        view.goto(address)
        complete(view)
        yield view
        # Leaving a page ends its stream, which the browser reports as a failed request.
        assert [error for error in errors if not error.endswith("net::ERR_ABORTED")] == []


def complete(view: Any) -> None:
    """Wait until values and charts stand there."""
    view.wait_for_selector(".card")
    view.wait_for_selector("#panels canvas")


def card(view: Any, code: str, part: str = "") -> Any:
    """The card of a KPI part."""
    return view.locator(f'.card[data-code="{code}"][data-part="{part}"]')


def write(store: Store, code: str, part: str, value: float) -> None:
    """Change the value of the newest day."""
    day = calendar_period("day", TODAY, ZONE)
    store.put_kpis([StoredKpi(kpi=kpi(code, part, day, value=value), changed=NOW, updated=NOW)])
