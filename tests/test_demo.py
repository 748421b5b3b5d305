"""`cityvitals demo`: it runs headless, resumes on the same data, refuses a taken port, and leaves nothing behind."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import msgspec
import psutil
import pytest

from registry.config import load_city
from tests.processes import end, free_port, start, wait_for

DEMO = [sys.executable, "-m", "cityvitals", "demo"]


def demo(folder: Path, port: int, *more: str, log: Path, path: str | None = None) -> subprocess.Popen[bytes]:
    command = [*DEMO, "--data", str(folder), "--port", str(port), "--days", "1", *more]
    return start(command, log=log, env={"PATH": path} if path else None)


def by_day(port: int, code: str, part: str = "") -> list[float | None]:
    """The values that the API gives for each day, none while it does not answer.

    All days and not the running one alone: in its first hour, just after midnight, that one holds no whole hour.
    Not the last 24 hours either: they end at the last full hour, so that a reading shows in them an hour later.
    """
    try:
        address = f"http://127.0.0.1:{port}/v1/cities/demo/kpis/{code}/series?kind=day"
        with urllib.request.urlopen(address, timeout=2) as answer:
            found = msgspec.json.decode(answer.read())
    except OSError:
        return []
    return [value for series in found["series"] if series["part"] == part for value in series["value"]]


def metered(port: int) -> list[float | None]:
    return by_day(port, "LOCAL:E:METERED")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "demo"
    left = [p for p in psutil.process_iter(["cmdline"]) if str(tmp_path) in " ".join(p.info["cmdline"] or [])]
    assert left == [], "the demo left processes behind"


def test_the_demo_city_has_at_least_30_nodes_of_three_kinds() -> None:
    city = load_city(Path(__file__).parents[1] / "cityvitals" / "local" / "demo_city.toml")
    kinds = {d.kind for d in city.device}
    assert len(city.device) >= 30
    assert {"air_reference", "air_lowcost", "electricity_meter", "ev_charger"} <= kinds


def test_the_demo_is_live_its_children_end_with_it_and_the_next_start_goes_on_with_the_data(
    folder: Path, tmp_path: Path
) -> None:
    port, first, second = free_port(), tmp_path / "first", tmp_path / "second"
    running = demo(folder, port, log=first)
    before = wait_for(lambda: metered(port), 120, "the API")
    assert "history: 1 day " in first.read_text()
    assert any(before), "no energy in the history"
    assert any(by_day(port, "EN:EN:AQ:1C", "pm2_5")), "no fine particles in the history"
    wait_for(lambda: metered(port) not in ([], before), 90, "a live reading to change a KPI")
    children = psutil.Process(running.pid).children(recursive=True)
    assert len(children) >= 5
    running.kill()
    end(running)
    wait_for(lambda: not any(c.is_running() and c.status() != psutil.STATUS_ZOMBIE for c in children), 20, "their end")

    running = demo(folder, free_port(), "--seconds", "1", log=second)
    assert running.wait(120) == 0, second.read_text()
    assert "history ready" in second.read_text()
    assert "history: 1 day " not in second.read_text(), "the second start wrote the history again"
    assert "no process is left running" in second.read_text()
    plans = re.findall(r"cityvitals plan \w+ .* \\\n +--period \S+ --sessions \S+\n", second.read_text())
    assert len(plans) == 2, "each plan is one command of a shell"


def test_a_taken_port_is_refused_with_what_to_do(folder: Path, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        log = tmp_path / "out"
        running = demo(folder, taken.getsockname()[1], log=log)
        assert running.wait(60) == 2
    assert "is used by another program" in log.read_text()
    assert "--port" in log.read_text()


def test_without_mosquitto_the_embedded_broker_serves_the_demo_until_ctrl_c(folder: Path, tmp_path: Path) -> None:
    """A machine with Python and nothing else; the search for Mosquitto is what differs."""
    port, log = free_port(), tmp_path / "out"
    running = start(
        [sys.executable, "-c", WITHOUT_MOSQUITTO, "demo", "--data", str(folder), "--port", str(port), "--days", "1"],
        log=log,
    )
    before = wait_for(lambda: metered(port), 120, "the API")
    wait_for(lambda: metered(port) not in ([], before), 90, "a live reading to change a KPI")
    assert "amqtt, embedded" in log.read_text()
    os.kill(running.pid, signal.SIGINT)
    assert running.wait(30) == 0


WITHOUT_MOSQUITTO = """
import sys
import cityvitals.local.children, cityvitals.local.demo
cityvitals.local.children.mosquitto = cityvitals.local.demo.mosquitto = lambda: None
from cityvitals.__main__ import main
main()
"""
