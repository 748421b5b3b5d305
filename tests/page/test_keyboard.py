"""The main task of each view by keyboard alone: Tab to a control, press it, see what came of it, keep one's place."""

from __future__ import annotations

from typing import Any

import pytest

from tests.page.opened import VIEWS, heading, opened

# Name of the view: the control, the key pressed there, and what is seen after it.
TASKS = {
    "now": (".look a", "Enter", ".view-devices"),
    "map": (".places .place", "Enter", ".map-card h2:focus"),
    "indicators": ('.filters [data-id="missing"]', "Enter", '.filters [data-id="missing"][aria-pressed="true"]:focus'),
    "indicator": (".plot", "ArrowLeft", ".readout:not(:empty)"),
    "devices": ('.segments [data-id="trouble"]', "Enter", '[data-id="trouble"][aria-pressed="true"]:focus'),
    "device": (".plot", "ArrowLeft", ".readout:not(:empty)"),
    "compare": (".heat button", "Enter", '.heat button[aria-pressed="true"]:focus'),
    "plan": ('input[aria-label="Charging points"]', "ArrowRight", "output:text-is('13')"),
    "scenario": ('a[href*="saving=10"]', "Enter", ".plan-answer"),
    "outlook": ('input[type="number"]', "9", 'h1:has-text("over the limit")'),
    "report": (".todo a", "Enter", ".todo .chosen"),
    "admin": ("main summary", "Enter", "main details:not([open])"),
    "embed": (".plot", "ArrowLeft", ".readout:not(:empty)"),
}
MOST = 120  # stops of Tab until the control
RING = """() => { const style = getComputedStyle(document.activeElement);
  return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2; }"""


def test_each_view_has_a_task() -> None:
    assert list(TASKS) == list(VIEWS)


@pytest.mark.parametrize("name", TASKS)
def test_a_view_is_used_by_keyboard(browser: Any, url: str, name: str) -> None:
    control, key, seen = TASKS[name]
    # A forecast needs eight weeks of the load, which this city does not have: the view says so.
    with opened(browser, url + VIEWS[name], errors_expected=name == "outlook") as view:
        view.locator(control).first.wait_for()
        reached, stops = "selector => document.activeElement.matches(selector)", 0
        while not view.evaluate(reached, control):
            view.keyboard.press("Tab")
            stops += 1
            assert stops <= MOST, f"{control} is not reached"
            assert view.evaluate(RING), f"no ring is seen at stop {stops}"
        view.keyboard.press(key)
        view.locator(seen).first.wait_for()
        assert heading(view)
        print(f"{name}: {stops} stops to {control}")


def test_the_views_are_reached_by_the_skip_link_and_the_bar(browser: Any, url: str) -> None:
    with opened(browser, url + VIEWS["now"]) as view:
        view.keyboard.press("Tab")
        assert view.evaluate("document.activeElement.id") == "skip"
        view.keyboard.press("Enter")
        assert view.evaluate("document.activeElement.id") == "main"
        view.keyboard.press("Tab")
        assert view.evaluate("document.activeElement.closest('main') !== null")
