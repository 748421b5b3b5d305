"""The tutorial from an empty machine: a clone, an empty home, nothing installed but what its first block installs.

Long (CITYVITALS_LONG=1), because it installs CityVitals and its libraries; prints the seconds of each step.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.browser import chromium, page
from tests.processes import SEARCH_PATH, end, free_port, need, start, wait_for

REPO = Path(__file__).parents[2]
PAGE = (REPO / "docs" / "tutorial.md").read_text(encoding="utf-8")
LONG = pytest.mark.skipif(not os.environ.get("CITYVITALS_LONG"), reason="a long test")


def steps() -> dict[str, list[str]]:
    """Heading -> its shell blocks."""
    parts = re.split(r"^## (\d+\. .*)$", PAGE, flags=re.M)
    return {
        title: re.findall(r"```sh\n(.*?)```", text, re.S) for title, text in zip(parts[1::2], parts[2::2], strict=True)
    }


class Beginner:
    """A shell in the clone, with an empty home; `seconds`: of each step that was walked."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.seconds = folder / "cityvitals", dict[str, float]()
        subprocess.run(["git", "clone", "-q", str(REPO), str(self.folder)], check=True)
        self.environment = {"PATH": SEARCH_PATH, "HOME": str(folder), "LANG": "C.UTF-8"}
        self.environment |= {k: v for k, v in os.environ.items() if k.startswith(("PIP_", "UV_", "PYENV", "SSL_"))}
        self.environment["PATH"] = f"{os.environ['PATH']}:{SEARCH_PATH}"  # where Python 3.11 is
        self.environment.pop("VIRTUAL_ENV", None)
        self.web, self.broker = free_port(), free_port()

    def own(self, text: str) -> str:
        """The commands on free ports."""
        text = text.replace(":8000", f":{self.web}").replace("mosquitto_pub", f"mosquitto_pub -p {self.broker}")
        return text.replace(
            "cityvitals run my-town", f"cityvitals run my-town --port {self.web} --broker-port {self.broker}"
        )

    def types(self, text: str) -> str:
        """Run a block in a new terminal that is in the environment; returns what it prints."""
        line = f"[ -d .venv ] && . .venv/bin/activate; set -e\n{self.own(text)}"
        done = subprocess.run(
            ["bash", "-c", line], cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{text}\n{done.stdout}{done.stderr}"
        return done.stdout

    def leaves_running(self, text: str) -> subprocess.Popen[bytes]:
        """Run a command that stays."""
        log = self.folder / "log"
        running = start(
            ["bash", "-c", f". .venv/bin/activate; exec {self.own(text).strip()}"],
            log=log, cwd=self.folder, env=self.environment,
        )  # fmt: skip
        wait_for(lambda: "Ctrl-C" in log.read_text(), 120, "the city to run")
        return running

    def sees(self, value: str) -> None:
        """Open the device's page in a browser, as step 6 says, and wait for the value."""
        with chromium() as browser, page(browser, f"http://127.0.0.1:{self.web}/c/my-town/devices") as (view, _):
            view.get_by_role("link", name="garden").first.click()
            view.get_by_text(value).first.wait_for(timeout=60_000)


@LONG
@pytest.mark.timeout(1500)
def test_an_own_value_stands_on_the_page_by_the_tutorial_alone(tmp_path: Path) -> None:
    need("mosquitto_pub", "mosquitto-clients")
    beginner, running = Beginner(tmp_path), None
    for title, blocks in steps().items():
        began = time.monotonic()
        for block in blocks:
            if "cityvitals run" in block:
                running = beginner.leaves_running(block)
            else:
                beginner.types(block.replace("curl ", "curl --retry 20 --retry-all-errors -s "))
        if title.startswith("6."):
            beginner.sees("8.1")
        beginner.seconds[title] = time.monotonic() - began
    until = sum(s for title, s in beginner.seconds.items() if int(title.split(".", maxsplit=1)[0]) <= 6)
    for title, seconds in beginner.seconds.items():
        print(f"{seconds:7.1f} s  {title}")
    print(f"{until / 60:.1f} minutes and 6 steps to the own value on the page, without the time to read and type")
    assert running is not None
    running.send_signal(signal.SIGINT)
    assert running.wait(30) == 0
    end(running)
