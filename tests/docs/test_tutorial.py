"""The tutorial, as a reader would follow it: its commands in their order, against the programs they start."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.processes import SEARCH_PATH, end, free_port, need, start, wait_for

PAGE = (Path(__file__).parents[2] / "docs" / "tutorial.md").read_text(encoding="utf-8")


def blocks() -> list[str]:
    """The shell blocks of the page, without the one that installs: the tests run in an installed checkout."""
    return [
        b.strip() for b in re.findall(r"```sh\n(.*?)```", PAGE, re.S) if "make setup" not in b and "apt-get" not in b
    ]


def run(line: str, folder: Path) -> str:
    words = shlex.split(line)
    if words[0] == "cityvitals":
        words = [sys.executable, "-m", *words]
    done = subprocess.run(
        words, cwd=folder, capture_output=True, text=True, check=False, env={**os.environ, "PATH": SEARCH_PATH}
    )
    assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def newest(address: str) -> list[float]:
    """Newest values of the device, as the page reads them."""
    with urllib.request.urlopen(address, timeout=30) as answer:
        return [float(v) for v in re.findall(r'"value": ?([\d.]+)', answer.read().decode())]


@pytest.mark.timeout(180)
def test_every_command_of_the_tutorial_does_what_the_page_says(tmp_path: Path) -> None:
    need("mosquitto_pub", "mosquitto-clients")
    web, broker = free_port(), free_port()
    make, register, start_city, publish, ask, show, wrong = blocks()
    run(make, tmp_path)
    run(register, tmp_path)
    assert 'id = "aq-1"' in (tmp_path / "my-town" / "city.toml").read_text()

    log = tmp_path / "log"
    command = [sys.executable, "-m", *shlex.split(start_city), "--port", str(web), "--broker-port", str(broker)]
    running = start(command, log=log, cwd=tmp_path)
    wait_for(lambda: "Ctrl-C" in log.read_text(), 60, "the city to run")

    def on_this_port(line: str) -> str:
        return line.replace("mosquitto_pub", f"mosquitto_pub -p {broker}")

    run(on_this_port(publish), tmp_path)
    asked = run(ask.replace(":8000", f":{web}").replace("curl", "curl --retry 20 --retry-all-errors -s"), tmp_path)
    assert '"garden"' in asked
    address = f"http://127.0.0.1:{web}/v1/cities/my-town/devices/garden"
    wait_for(lambda: 8.1 in newest(address), 60, "the reading to stand where the page reads it")
    [activate, table] = show.splitlines()
    assert activate == ". .venv/bin/activate"
    wait_for(lambda: "pm2_5" in run(table, tmp_path), 60, "the command to show the particles")
    send, listing = wrong.splitlines()
    run(on_this_port(send), tmp_path)
    wait_for(lambda: "no numeric value" in run(listing, tmp_path), 30, "the message to be listed with its reason")
    running.send_signal(signal.SIGINT)
    assert running.wait(30) == 0
    end(running)


def test_the_page_counts_its_steps() -> None:
    steps = re.findall(r"^## (\d+)\.", PAGE, re.M)
    assert steps == [str(n) for n in range(1, 9)]
