"""docs/how-to/second-gateway.md, followed on two machines: network namespaces with a line between them.

Needs root and the right to make network namespaces; without them it is skipped, also in CI.
"""

from __future__ import annotations

import itertools
import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes import SEARCH_PATH, end, need, start, wait_for

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "second-gateway.md").read_text(encoding="utf-8")
CENTRAL, SECOND = "10.213.7.1", "10.213.7.2"


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, env={**os.environ, "PATH": SEARCH_PATH})


def blocks() -> Iterator[str]:
    return iter(re.findall(r"```sh\n(.*?)```", PAGE, re.S))


class Machine:
    """A network namespace with a folder of its own."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self.folder = name, folder
        folder.mkdir()

    def words(self, line: str) -> list[str]:
        words = shlex.split(line.replace("central.local", CENTRAL))
        command = [sys.executable, "-m", *words] if words[0] == "cityvitals" else words
        return ["ip", "netns", "exec", self.name, *command]

    def run(self, line: str) -> str:
        environment = {**os.environ, "PATH": SEARCH_PATH}
        done = subprocess.run(
            self.words(line), cwd=self.folder, capture_output=True, text=True, check=False, env=environment
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        return done.stdout

    def start(self, line: str, log: str) -> subprocess.Popen[bytes]:
        return start(self.words(line), log=self.folder / log, cwd=self.folder, env={"PATH": SEARCH_PATH})


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[tuple[Machine, Machine]]:
    need("ip", "iproute2")
    names = [f"cv{os.getpid()}{role}" for role in ("c", "s")]
    try:
        for name in names:
            ip("netns", "add", name)
        near, far = (f"v{os.getpid() % 100_000}{role}" for role in ("c", "s"))
        ip("link", "add", near, "netns", names[0], "type", "veth", "peer", "name", far, "netns", names[1])
        for name, link, address in zip(names, (near, far), (CENTRAL, SECOND), strict=True):
            ip("-n", name, "addr", "add", f"{address}/30", "dev", link)
            ip("-n", name, "link", "set", link, "up")
            ip("-n", name, "link", "set", "lo", "up")
    except (subprocess.CalledProcessError, OSError) as error:
        remove(names)
        pytest.skip(f"no network namespace can be made here: {getattr(error, 'stderr', error)!r}")
    yield Machine(names[0], tmp_path / "central"), Machine(names[1], tmp_path / "second")
    remove(names)


def remove(names: list[str]) -> None:
    for name in names:
        subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)


def newest(central: Machine, line: str) -> str:
    """What the page reads of the device: the newest value of each quantity and more."""
    return central.run(line.replace("curl", "curl --silent --retry 30 --retry-all-errors"))


@pytest.mark.timeout(240)
def test_the_page_leads_to_a_reading_of_a_second_machine(machines: tuple[Machine, Machine], tmp_path: Path) -> None:
    need("mosquitto")
    need("mosquitto_pub", "mosquitto-clients")
    central, second = machines
    began = time.monotonic()
    first, copy, check, starting, publish, ask = itertools.islice(blocks(), 6)
    central.run("cityvitals init my-town --timezone Europe/Oslo")
    add, run = first.strip().splitlines()
    central.run(add)
    city = central.start(run, "run.log")
    wait_for(lambda: "Ctrl-C" in (central.folder / "run.log").read_text(), 90, "the city to run")

    assert copy.splitlines()[1].startswith("scp central.local:my-town/city.toml gateway-2/city.toml")
    (second.folder / "gateway-2").mkdir()
    (second.folder / "gateway-2" / "city.toml").write_text((central.folder / "my-town" / "city.toml").read_text())
    [settings] = re.findall(r"```toml\n(.*?)```", PAGE, re.S)
    (second.folder / "gateway-2" / "cityvitals.toml").write_text(settings.replace("central.local", CENTRAL))
    second.run(check.strip())
    broker, gateway = (second.start(line, f"{line.split()[0]}.log") for line in starting.strip().splitlines())
    log = second.folder / "cityvitals.log"
    wait_for(lambda: log.read_text().count("onnected to") >= 2, 60, "the gateway to reach both brokers")
    second.run(publish.strip())
    wait_for(lambda: "9.2" in newest(central, ask.strip()), 90, "the reading to stand on the central page")
    print(f"{time.monotonic() - began:.0f} s from nothing to the reading")

    link = re.findall(r"\d+: (v\d+s)", subprocess.check_output(["ip", "-n", second.name, "link"], text=True))[0]
    ip("-n", second.name, "link", "set", link, "down")
    second.run(publish.strip().replace("9.2", "17.25"))
    wait_for(lambda: b"17.25" in readings(second), 60, "the gateway to store it while the line is down")
    ip("-n", second.name, "link", "set", link, "up")
    wait_for(lambda: "17.25" in newest(central, ask.strip()), 120, "the reading of the time without a line")
    assert [end(process) for process in (gateway, city)] == [0, 0]
    end(broker)


def readings(machine: Machine) -> bytes:
    """Values in the gateway's buffer, as text."""
    copy = machine.folder / "copy.db"
    copy.unlink(missing_ok=True)
    machine.run("cityvitals backup gateway-2/gateway.db copy.db")
    query = (
        "import sqlite3; from adapters.sqlite.blocks import readable; db = readable(sqlite3.connect('copy.db'));"
        " print([row[0] for row in db.execute('SELECT value FROM every_reading')])"
    )
    done = subprocess.run([sys.executable, "-c", query], cwd=machine.folder, capture_output=True, check=True)
    return done.stdout
