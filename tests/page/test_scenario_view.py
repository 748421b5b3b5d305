"""What if, on the page: figures measured and planned side by side as the API gives them; what is missing in words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from planning.grid import WEEK
from telemetry.periods import iso
from telemetry.windows import DAY
from tests.api.city import CITY, NOW
from tests.page.opened import DESKTOP, PHONE, SHOTS, Scheme, heading, opened
from tests.planning import town

WHAT_IF = f"/c/{CITY}/plan?show=scenario&period=2026-06"


@pytest.fixture
def sessions(tmp_path: Path) -> Path:
    """A file as an operator exports it."""
    recorded = town.sessions()
    s = recorded.shifted((NOW - 9 * DAY - int(recorded.start.min())) // WEEK * WEEK)
    rows = zip(s.start.tolist(), s.end.tolist(), s.kwh.tolist(), s.user.tolist(), strict=True)
    lines = [f"{iso(a)},{iso(b)},garage,{kwh},{s.users[u]}" for a, b, kwh, u in rows]
    file = tmp_path / "sessions.csv"
    file.write_text("\n".join(["start,end,device,energy_kwh,user_hash", *lines, "never,,garage,5,x"]))
    return file


@pytest.mark.parametrize(("size", "scheme"), [(DESKTOP, "light"), (PHONE, "dark")])
def test_what_if_shows_measured_and_planned_side_by_side(
    browser: Any, url: str, sessions: Path, size: tuple[int, int], scheme: Scheme
) -> None:
    before = httpx.get(f"{url}/v1/index/changes").json()
    with opened(browser, url + WHAT_IF, size, scheme) as view:
        view.locator("input[type=file]").set_input_files(sessions)
        with view.expect_response("**/plan/scenario") as answered:
            view.get_by_role("button", name="Calculate").click()
        found = answered.value.json()
        view.locator(".scenario-table").wait_for()
        changed = [v for v in found["values"] if v["changed"]]
        assert heading(view) == f"{len(changed)} figures change"
        rows = view.locator(".scenario-table tbody tr")
        assert rows.count() == len(changed) >= 2
        assert view.locator(".plan-answer .chip").inner_text() == "Planned, not measured"
        text = view.locator("main").inner_text()
        assert "recorded users, who charge as where they were recorded" in text
        assert "1 row of the file was left out" in text
        assert not view.evaluate("document.documentElement.scrollWidth > innerWidth")
        SHOTS.mkdir(parents=True, exist_ok=True)
        view.screenshot(path=SHOTS / f"scenario-{'phone' if size == PHONE else 'desktop'}-{scheme}.png", full_page=True)
    energy = next(v for v in changed if v["code"] == "LOCAL:E:METERED")
    assert energy["baseline"] < energy["p5"] <= energy["p50"] <= energy["p95"]
    assert httpx.get(f"{url}/v1/index/changes").json() == before


def test_what_is_missing_is_said_before_anything_is_sent(browser: Any, url: str) -> None:
    with opened(browser, url + WHAT_IF) as view:
        view.get_by_role("button", name="Calculate").click()
        view.get_by_text("Electric cars need a file of recorded sessions").wait_for()  # after asking the server
        view.get_by_role("slider", name="Homes with an electric car").fill("0")
        view.get_by_role("slider", name="Photovoltaics on a roof").fill("5")
        view.get_by_role("button", name="Calculate").click()
        assert "enter how many kWp are measured" in view.locator("main").inner_text()


def test_a_scenario_without_the_data_is_refused_in_words(browser: Any, url: str) -> None:
    with opened(browser, url + WHAT_IF + "&ev=0&kwp=5&has=3", errors_expected=True) as view:
        view.get_by_role("button", name="Calculate").click()
        view.locator(".note").wait_for()
        assert "has no generation meter" in view.locator(".note").inner_text()


def test_the_two_plans_have_addresses(browser: Any, url: str) -> None:
    with opened(browser, url + WHAT_IF + "&ev=25&saving=7") as view:
        assert view.get_by_role("slider", name="Homes with an electric car").input_value() == "25"
        assert view.get_by_role("slider", name="Electricity saved").input_value() == "7"
        view.get_by_role("button", name="Charging points").click()
        view.locator(".plan-answer").wait_for()
        assert "show=" not in view.url
