"""docs/how-to/flash-a-node.md, followed on a virtual board: a serial port with a real MicroPython behind it."""

from __future__ import annotations

import json
import os
import pty
import re
import socket
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from edge.tools import release
from edge.tools.release import version_of
from simulators.hardware.board import Board
from tests.docs.pages import Page, run, words_of
from tests.firmware.interpreters import micropython
from tests.firmware.remote.built import built
from tests.firmware.remote.test_partitions import stock
from tests.processes import end, free_port, start, wait_for
from tests.servers import Mosquitto
from tests.shipped_brokers import make_users, shipped_broker

USB = "/dev/ttyUSB0"
PAGE = "docs/how-to/flash-a-node.md"


@pytest.fixture(autouse=True)
def compiled_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(release, "build", built)


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Board]:
    with Board(tmp_path / "on-the-board", micropython()) as made:
        yield made


@pytest.fixture
def edge(tmp_path: Path) -> Iterator[Mosquitto]:
    """The shipped broker; its users' passwords are in `secrets`."""
    (tmp_path / "secrets").mkdir()
    make_users(tmp_path / "secrets")
    with shipped_broker(tmp_path / "secrets", "edge") as broker:
        yield broker


def console(line: str, folder: Path) -> None:
    """Type a calculation into the node's console, read its result, and leave by Ctrl-]."""
    ours, theirs = pty.openpty()
    words, _ = words_of(line)
    process = subprocess.Popen(words, cwd=folder, stdin=theirs, stdout=theirs, stderr=theirs)
    os.set_blocking(ours, False)
    seen = bytearray()

    def shows(text: bytes) -> bool:
        with suppress(BlockingIOError):
            seen.extend(os.read(ours, 1000))
        return text in seen

    try:
        wait_for(lambda: os.write(ours, b"\r") and shows(b">>> "), 20, "a prompt")
        os.write(ours, b"print(6*7)\r")
        wait_for(lambda: shows(b"42"), 20, "the answer")
        os.write(ours, b"\x1d")
        assert process.wait(20) == 0
    finally:
        process.kill()
        os.close(ours)
        os.close(theirs)


def written(page: Page, folder: Path) -> None:
    """Step 1. What writes to the flash needs a chip's boot loader; here it is seen to be understood by esptool."""
    (folder / "ESP32_GENERIC_S3.bin").write_bytes(stock("1.26", "esp32s3"))
    [hint] = re.findall(r"`(esptool [^`]*)`", run(page.take("cityvitals node image"), folder))
    assert (folder / "node.bin").stat().st_size == (folder / "ESP32_GENERIC_S3.bin").stat().st_size
    erase, write = (page.take(f"esptool --port {USB} {name}") for name in ("erase-flash", "write-flash"))
    assert hint.split("write-flash ")[1].replace("0x0", "0") == write.split("write-flash ")[1]
    for line in (erase, write):
        shown = run(line.replace(USB, str(folder / "no-port")), folder, codes=(1, 2))
        assert "port" in shown
        assert "Usage" not in shown
        assert "such option" not in shown.lower()


def flashed(page: Page, folder: Path, board: Board) -> None:
    """Step 2."""
    (folder / "wifi.txt").write_text("a secret word\n")
    run(page.take("cityvitals enrol ca"), folder)
    run(page.take("cityvitals enrol device"), folder)
    shown = run(page.take("cityvitals node config"), folder)
    assert '"ssid": "NAME"' in shown
    assert "a secret word" not in shown
    run(page.take("cityvitals node flash").replace(USB, board.port), folder)
    config = json.loads((board.folder / "node.json").read_bytes())
    assert (config["city"], config["device"], config["wifi"]["password"]) == ("aberdeen", "air-01", "a secret word")
    assert (board.folder / "main.py").stat().st_size > 1000
    console(page.take("cityvitals node console").replace(USB, board.port), folder)


def without_a_cable(page: Page, folder: Path) -> None:
    """What is done at the desk and in the office; tests/firmware/setup has the technician's telephone."""
    with Board(folder / "unenrolled", micropython()) as board:
        label = run(page.take("cityvitals node flash --unenrolled").replace(USB, board.port), folder)
        password = json.loads((board.folder / "portal.json").read_bytes())["password"]
    assert f"password {password}." in label
    assert "Valid for 24 hours, for one node" in run(page.take("cityvitals enrol code"), folder)
    port, log = free_port(), folder / "serve.log"
    words, _ = words_of(page.take("cityvitals enrol serve"))
    serving = start([*words, "--port", str(port), "--host", "127.0.0.1"], log=log, cwd=folder)

    def listens() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    wait_for(listens, 60, "the enrolment server")
    assert "Enrolling nodes of aberdeen" in log.read_text()
    end(serving)


def updated(page: Page, folder: Path, edge: Mosquitto) -> None:
    """Step 3, to a node that is switched off; tests/cityvitals/test_ota_tools.py has one that installs it."""
    password = (folder / "secrets" / "password-operator").read_text()
    one = page.take("cityvitals ota publish air-01").replace("gateway.local", f"127.0.0.1:{edge.port}")
    offered = run(one.replace("PASSWORD", password).replace("--wait 600", "--wait 1"), folder, codes=(1,))
    assert f"{version_of()} " in offered
    assert "air-01: has not answered yet" in offered
    (folder / "cityvitals.toml").write_text(f'[gateway.broker]\nurl = "mqtt://127.0.0.1:{edge.port}"\n')
    user = {
        "CITYVITALS__GATEWAY__BROKER__USERNAME": "operator",
        "CITYVITALS__GATEWAY__BROKER__PASSWORD_FILE": str(folder / "secrets" / "password-operator"),
    }
    assert all(name in page.text for name in user), "the page says how the user is named"
    assert "is offered to air-01" in run(page.take("cityvitals ota publish --kind"), folder, environment=user)
    assert run(page.take("cityvitals ota status"), folder, environment=user).startswith("node ")


@pytest.mark.timeout(300)
def test_the_page_leads_from_a_stock_image_to_an_update(tmp_path: Path, board: Board, edge: Mosquitto) -> None:
    page = Page(PAGE)
    written(page, tmp_path)
    flashed(page, tmp_path, board)
    without_a_cable(page, tmp_path)
    updated(page, tmp_path, edge)
    assert page.left == []


@pytest.mark.timeout(300)
def test_the_lines_of_the_readme_enrol_flash_and_update_a_node(tmp_path: Path, board: Board, edge: Mosquitto) -> None:
    begins = ("cityvitals enrol", "cityvitals node", "cityvitals ota")
    authorities, enrol, flash, publish, status = [li for li in Page("README.md").left if li.startswith(begins)]
    run(authorities, tmp_path)
    run(enrol, tmp_path)
    run(flash.replace("#", f"--port {board.port} #"), tmp_path)  # a pseudo-terminal is not found by itself
    assert json.loads((board.folder / "node.json").read_bytes())["device"] == "aq-001"
    user = {
        "CITYVITALS__GATEWAY__BROKER__URL": f"mqtt://127.0.0.1:{edge.port}",
        "CITYVITALS__GATEWAY__BROKER__USERNAME": "operator",
        "CITYVITALS__GATEWAY__BROKER__PASSWORD_FILE": str(tmp_path / "secrets" / "password-operator"),
    }
    assert "is offered to aq-001" in run(
        publish.replace("--wait 600", "--wait 1"), tmp_path, codes=(1,), environment=user
    )
    word = (tmp_path / "secrets" / "password-aq-001").read_text()
    online = f"""mosquitto_pub -p {edge.port} -u aq-001 -P {word} -q 1 -r -t cv/1/my-town/aq-001/status"""
    run(f"""{online} -m '{{"state": "online", "fw": "0.1"}}'""", tmp_path)
    assert re.search(
        rf"my-town/aq-001 +online .* {re.escape(version_of())} is offered", run(status, tmp_path, environment=user)
    )


def test_the_commands_of_the_checklist_are_there(tmp_path: Path) -> None:
    """Those that need a board that runs say so, in a sentence."""
    page = Page(PAGE)
    for start_ in ("cityvitals node report", "cityvitals node doctor"):
        shown = run(f"{page.span(start_)} --port {tmp_path}/no-port", tmp_path, codes=(2,))
        assert "There is no port" in shown
