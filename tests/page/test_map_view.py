"""The map: every place can be seen, at a desk and on a phone, with its name where there is room."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.city import CITY
from tests.page.opened import DESKTOP, PHONE, opened
from tests.processes import wait_for

# Boxes of what lies on the map, in pixels: marks and what may hide them.
BOXES = """selector => [...document.querySelectorAll(selector)]
  .filter((node) => node.getClientRects().length)
  .map((node) => node.getBoundingClientRect())
  .map(({ left, right, top, bottom }) => [left, right, top, bottom])"""
ADDRESS = f"/c/{CITY}/map?show=no2"
# Observers of sizes are called in the order in which they were made: this one after those of the page.
OBSERVED = """() => new Promise((done) => {
  const last = new ResizeObserver(() => { last.disconnect(); done(); });
  last.observe(document.querySelector(".map-box"));
})"""


def meet(a: list[float], b: list[float]) -> bool:
    return a[0] < b[1] and b[0] < a[1] and a[2] < b[3] and b[2] < a[3]


def hidden(view: Any) -> list[list[float]]:
    """The marks that lie under the legend, the hours or the buttons, or outside of the map."""
    view.wait_for_selector("body[data-map]")
    marks = view.evaluate(BOXES, ".map-box .mark")
    covers = view.evaluate(BOXES, ".map-foot > .card, .map-controls .button")
    (box,) = view.evaluate(BOXES, ".map-box")
    assert len(marks) > 2
    outside = [m for m in marks if m[0] < box[0] or m[1] > box[1] or m[2] < box[2] or m[3] > box[3]]
    return outside + [m for m in marks if any(meet(m, cover) for cover in covers)]


def lies_free(view: Any) -> bool:
    """Whether the chosen mark lies neither under its card nor under the legend."""
    (mark,) = view.evaluate(BOXES, ".mark[data-chosen='true']")
    covers = view.evaluate(BOXES, ".map-foot > .card, .map-card .card")
    return len(covers) >= 2 and not any(meet(mark, cover) for cover in covers)


@pytest.mark.parametrize("size", [DESKTOP, PHONE, (1920, 1080)])
def test_no_place_lies_under_the_legend(browser: Any, url: str, size: tuple[int, int]) -> None:
    with opened(browser, url + ADDRESS, size) as view:
        assert hidden(view) == []


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_the_chosen_place_lies_beside_its_card(browser: Any, url: str, size: tuple[int, int]) -> None:
    with opened(browser, url + ADDRESS, size) as view:
        for n in (1, 5, 9, 12):  # all over the town
            view.goto(f"{url}{ADDRESS}&place=air_reference-{n:02}")
            view.wait_for_selector("body[data-map]")
            view.evaluate(OBSERVED)
            wait_for(lambda: lies_free(view), 10, f"station {n} to lie beside its card")


def test_a_window_of_another_size_shows_all_places_until_the_map_was_moved(browser: Any, url: str) -> None:
    with opened(browser, url + ADDRESS) as view:
        assert hidden(view) == []
        view.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
        view.evaluate(OBSERVED)
        wait_for(lambda: hidden(view) == [], 10, "all places to be seen")
        view.get_by_role("button", name="Zoom in").click()
        before = view.locator(".scale-bar").inner_text()
        view.set_viewport_size({"width": DESKTOP[0], "height": DESKTOP[1]})
        view.evaluate(OBSERVED)
        assert view.locator(".scale-bar").inner_text() == before, "what somebody looks at stays"


def test_names_stand_beside_marks_and_meet_nothing(browser: Any, url: str) -> None:
    with opened(browser, url + ADDRESS) as view:
        view.wait_for_selector("body[data-map]")
        names, marks = view.evaluate(BOXES, ".mark-name"), view.evaluate(BOXES, ".map-box .mark")
        assert len(names) > 2
        pairs = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
        assert not [pair for pair in pairs if meet(*pair)]
        assert not [(name, m) for name in names for m in marks if meet(name, m)]
