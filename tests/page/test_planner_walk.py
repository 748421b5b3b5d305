"""A city planner's walk from the README: 40 garages on 63 A, 40 % electric cars by 2030; command, page and API agree.

Pictures of both answers lie in build/screenshots; docs/img has those of the last time they were looked at.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from typer.testing import CliRunner

from adapters.sqlite.store import SqliteStore
from cityvitals.cli.main import app
from tests.api.conftest import running
from tests.browser import page
from tests.page.opened import DESKTOP, READY, SHOTS, heading

REPO = Path(__file__).parents[2]
SAMPLE = REPO / "examples" / "sample"
NOW = datetime(2025, 2, 10, 12, tzinfo=UTC)  # January is the last full month


class Town(NamedTuple):
    """The sample city as README makes it: its store and its API, which has the sessions too."""

    store: Path
    url: str


def command(*words: str) -> Any:
    """What a command prints as JSON."""
    found = CliRunner().invoke(app, [*words, "--format", "json"], catch_exceptions=False)
    assert found.exit_code == 0, found.output
    return json.loads(found.output)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("planner")
    sessions = folder / "sessions"
    sessions.mkdir()
    (sessions / "sample.csv.gz").write_bytes((SAMPLE / "sessions.csv.gz").read_bytes())
    url = f"sqlite:///{folder / 'sample.db'}"
    done = CliRunner().invoke(
        app, ["replay", str(SAMPLE / "readings.csv.gz"), "--city", str(SAMPLE / "city.toml"), "--store", url],
        catch_exceptions=False,
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    store = SqliteStore(folder / "sample.db")
    with running(store, clock=lambda: round(NOW.timestamp() * 1000), sessions=sessions) as address:
        yield Town(folder / "sample.db", address)
    store.close()


@pytest.fixture
def plan(browser: Any, town: Town) -> Iterator[Any]:
    """The page's Plan, by the link that everybody sees."""
    with page(browser, "about:blank", DESKTOP) as (view, errors):
        view.clock.set_fixed_time(NOW)
        view.goto(f"{town.url}/c/sample")
        view.wait_for_selector(READY)
        view.locator(".views").get_by_role("link", name="Plan", exact=True).click()
        view.locator(".plan-answer").wait_for()
        yield view
        assert [e for e in errors if not e.endswith("net::ERR_ABORTED")] == []


def pictured(view: Any, name: str) -> None:
    SHOTS.mkdir(parents=True, exist_ok=True)
    view.evaluate("scrollTo(0, 0)")
    view.screenshot(path=SHOTS / f"{name}.png", full_page=True)


def test_the_readme_asks_both_questions() -> None:
    text = (REPO / "README.md").read_text(encoding="utf-8")
    assert "cityvitals plan charging --points 40 --connection 63A" in text
    assert re.search(r"40 % of our cars were electric by 2030.*\n.*examples/electric_2030\.toml", text)


def test_40_garages_63_ampere_our_buildings_meter_what_fits(plan: Any, town: Town) -> None:
    by_command = command(
        "plan", "charging", "--points", "40", "--connection", "63A", "--sessions", str(SAMPLE / "sessions.csv.gz"),
        "--city", "sample", "--store", f"sqlite:///{town.store}", "--meter", "meter-house", "--period", "2025-01",
        "--kw", "7.2", "--km", "13000", "--least-kwh", "20",
    )  # fmt: skip
    plan.get_by_label("Other load of the building").select_option("meter-house")
    plan.get_by_role("slider", name="Charging points").fill("40")
    plan.get_by_role("button", name="Calculate with sessions").wait_for()
    with plan.expect_response(lambda r: r.request.method == "POST" and "/plan/charging" in r.url) as answered:
        plan.get_by_role("button", name="Calculate with sessions").click()
    found = answered.value.json()
    plan.locator(".solutions").wait_for()
    found.pop("label")
    assert found == by_command
    assert found["recommended"] == "managed"
    assert found["unmanaged"]["p95"] > found["connection_kw"] == pytest.approx(63 * 400 * 3**0.5 / 1000 * 0.95)
    words = plan.locator("main").inner_text()
    assert "Cheapest solution that fits: managed within the connection" in words
    assert f"{found['first_over'] - 1} points fit without control" in words
    assert plan.locator(".solutions tbody tr").count() == 4
    assert heading(plan).startswith("At most ")  # by rule, above
    print(
        f"40 garages, 63 A: peak {found['base_peak_kw']:.1f} kW alone, {found['unmanaged']['p95']:.1f} kW at p95; "
        f"{found['first_over'] - 1} points fit, managed {found['managed_kw']:.1f} kW"
    )
    pictured(plan, "plan-garages-desktop")


def test_40_percent_electric_cars_by_2030(plan: Any, town: Town) -> None:
    plan.get_by_role("button", name="What if").click()
    plan.get_by_role("slider", name="Homes with an electric car").wait_for()
    with plan.expect_response("**/plan/scenario") as answered:
        plan.get_by_role("button", name="Calculate").click()
    found = answered.value.json()
    plan.locator(".scenario-table").wait_for()
    store = f"sqlite:///{town.store}"
    by_command = command(
        "plan", "scenario", str(REPO / "examples" / "electric_2030.toml"), "--city", "sample", "--store", store,
        "--sessions", str(SAMPLE / "sessions.csv.gz"), "--period", "2025-01",
    )  # fmt: skip
    (peak, by_file) = (next(v for v in f["values"] if v["code"] == "LOCAL:E:PEAK") for f in (found, by_command))
    assert peak["baseline"] == by_file["baseline"] < peak["p5"] <= peak["p50"] <= peak["p95"]
    assert peak["p50"] == pytest.approx(by_file["p50"], rel=0.1)  # 100 draws here, 300 there
    assert [f["id"] for f in found["feeders"]] == ["feeder-7"]
    print(f"40 % electric: peak {peak['baseline']:.1f} kW measured, {peak['p50']:.1f} planned, p95 {peak['p95']:.1f}")
    pictured(plan, "plan-electric-desktop")
    stored = httpx.get(f"{town.url}/v1/cities/sample/kpis?period=2025-01").raise_for_status().json()
    kept = [k["value"] for k in stored if k["code"] == "LOCAL:E:PEAK"]
    assert kept == [peak["baseline"]], "a plan is never stored"
