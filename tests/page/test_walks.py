"""Two walks from `cityvitals demo`: what a mayor finds in two minutes, and a device from the air onto the map."""

from __future__ import annotations

import re
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from tests.browser import page
from tests.page.opened import DESKTOP, READY, SHOTS, heading
from tests.processes import free_port, start, wait_for

DAYS = "40"  # of history: enough for every card, and quick


class Demo(NamedTuple):
    """A running demo: its address, and the token of each role."""

    url: str
    tokens: dict[str, str]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with started(tmp_path_factory.mktemp("walk"), DAYS) as running:
        yield running


@contextmanager
def started(folder: Path, days: str) -> Iterator[Demo]:
    """A demo with so many days of history; ended by Ctrl-C."""
    port, log = free_port(), folder / "out"
    command = [sys.executable, "-m", "cityvitals", "demo", "--data", str(folder / "demo"), "--port", str(port)]
    began = time.perf_counter()
    running = start([*command, "--days", days], log=log)
    try:
        wait_for(lambda: "Ctrl-C" in log.read_text() or running.poll() is not None, 400, "the demo")
        print(f"demo with {days} days of history: {time.perf_counter() - began:.1f} s to its first page")
        tokens = dict(re.findall(r"^ +(reporter|operator|admin) +(cv_\S+)", log.read_text(), re.MULTILINE))
        yield Demo(f"http://127.0.0.1:{port}", tokens)
    finally:
        running.send_signal(signal.SIGINT)
        assert running.wait(60) == 0, log.read_text()


class Walk:
    """Counts the clicks of a walk and keeps a picture of each step in build/screenshots/walk."""

    def __init__(self, view: Any, name: str) -> None:
        self.view, self.name, self.clicks, self.steps, self.began = view, name, 0, 0, time.perf_counter()
        (SHOTS / "walk").mkdir(parents=True, exist_ok=True)

    def click(self, control: Any) -> None:
        control.click()
        self.clicks += 1

    def picture(self) -> None:
        self.steps += 1
        self.view.screenshot(path=SHOTS / "walk" / f"{self.name}-{self.steps}.png")

    def said(self) -> str:
        return f"{self.name}: {self.clicks} clicks, {time.perf_counter() - self.began:.1f} s"


def words(view: Any, selector: str = "main") -> str:
    return str(view.locator(selector).inner_text())


def test_a_mayor_understands_the_city_in_two_minutes(browser: Any, demo: Demo) -> None:
    """Only links that are on the page; each view answers its question in its heading."""
    with page(browser, demo.url, DESKTOP) as (view, errors):
        walk = Walk(view, "mayor")
        view.wait_for_selector(READY)
        walk.picture()
        view.locator(".look").get_by_text("Tram Depot is silent").wait_for()
        assert heading(view).startswith("The air is")
        assert re.search(r"\d+ things need a look", heading(view))
        now = words(view)
        for found in ("Hill Park car park is out of order", "An unregistered device sends data: air-70", "MW now"):
            assert found in now
        assert re.search(r"\d of 12 are free", now)
        assert view.locator(".cells i[data-points='4']").count() > 20, "the wheel has no colour"
        assert now.count("No value") == 0
        for link, says in (
            ("Indicators", r"\d+ of \d+ figures with a target are on target"),
            ("Map", r"PM2\.5 is highest at"),
            ("Devices", r"\d of 38 devices need a look"),
            ("Compare", r"Demo City is number \d of 5 cities"),
            ("Plan", r"charging points fit"),
            ("Report", r"3 more figures make the report complete enough"),
        ):
            walk.click(view.locator(".views").get_by_role("link", name=link, exact=True))
            view.wait_for_selector(f'.views a[aria-current="page"]:has-text("{link}")')
            view.wait_for_selector(READY)
            assert re.search(says, heading(view)), (link, heading(view))
            walk.picture()
        assert [e for e in errors if not e.endswith("net::ERR_ABORTED")] == []
        print(f"a walk through seven views, {walk.said()}")


def test_an_unknown_device_on_the_air_is_registered_and_stands_on_the_map(browser: Any, demo: Demo) -> None:
    with page(browser, f"{demo.url}/c/demo/devices", DESKTOP) as (view, _):
        walk = Walk(view, "register")
        view.get_by_text("An unregistered device sends data: air-70").wait_for()
        walk.picture()
        walk.click(view.get_by_role("link", name="Register a device"))
        view.get_by_text("other rights need a token").wait_for()
        view.get_by_label("Access token").fill(demo.tokens["operator"])
        walk.click(view.get_by_role("button", name="Use this token"))
        box = view.locator(".unregistered", has_text="air-70")
        box.get_by_label("Place").fill("Fish Market")
        box.get_by_label("Latitude").fill("59.9105")
        box.get_by_label("Longitude").fill("10.7391")
        box.get_by_label("Like registered id").fill("air-01")
        walk.picture()
        walk.click(box.get_by_role("button", name="Register it"))
        box.get_by_text("Gateway and ingest start again with it in some seconds").wait_for()
        walk.picture()

        def stands() -> bool:
            view.goto(f"{demo.url}/c/demo/map?show=pm2_5&place=air-70")
            view.wait_for_selector(READY)
            return bool(view.locator(".places").get_by_text("Fish Market").count())

        wait_for(stands, 60, "the device on the map")
        view.locator(".map-card").get_by_text("Fish Market").wait_for()
        view.locator(".mark[data-chosen='true']").wait_for()
        walk.picture()
        print(f"from the air onto the map, {walk.said()}, five fields filled in")
        view.goto(f"{demo.url}/admin?city=demo")
        view.get_by_text("Everything that arrives is registered.").wait_for()


def rejects(demo: Demo) -> str:
    """What the API says of rejected messages."""
    answer = httpx.get(f"{demo.url}/v1/admin/rejects", headers={"Authorization": f"Bearer {demo.tokens['operator']}"})
    return answer.raise_for_status().text


def test_a_rejected_message_is_corrected_and_resent(browser: Any, demo: Demo) -> None:
    wait_for(lambda: "meter-11" in rejects(demo), 90, "the first message of meter-11")
    with page(browser, f"{demo.url}/admin?city=demo", DESKTOP) as (view, _):
        view.get_by_label("Access token").fill(demo.tokens["operator"])
        view.get_by_role("button", name="Use this token").click()
        row = view.locator(".rejects tbody tr", has_text="meter-11").first
        row.locator("summary").click()
        message = row.get_by_label("Message")
        assert '"v":"' in message.input_value().replace(" ", "")
        message.fill(re.sub(r'"v":\s*"(\d+),(\d+)"', r'"v": \1.\2', message.input_value()))
        row.get_by_role("button", name="Resend").click()
        row.get_by_text("Sent. The gateway stores it").wait_for()
        assert "Ledger" in words(view)
        assert view.get_by_role("heading", name="Tokens").count() == 0, "an operator has no right to tokens"
