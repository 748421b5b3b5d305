"""`cityvitals node` on a virtual board: what is sent over the port is executed by a real MicroPython."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from adapters.mqtt.broker import Broker
from cityvitals.cli.main import app
from edge.tools import enrol, node_config, node_enrol, node_flash, release
from registry import extras
from registry.extras import install_command
from simulators.hardware.board import Board
from telemetry.errors import CityVitalsError, UsageError
from tests.conftest import ServerFactory
from tests.firmware.interpreters import micropython
from tests.firmware.listener import Listener
from tests.firmware.node import Node
from tests.firmware.remote.built import built
from tests.processes import wait_for
from tests.servers import Mosquitto

RING = release.compiled(release.FIRMWARE / "records/ring.py", "ring")


@pytest.fixture(autouse=True)
def built_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(release, "build", built)


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """A firmware of one file, where it is not to run."""
    monkeypatch.setattr(release, "build", lambda _: {"firmware/records/ring.mpy": RING})


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Board]:
    with Board(tmp_path / "files", micropython()) as made:
        yield made


def enrolled(tmp_path: Path, name: str = "aq-001", broker: str = "mqtt://127.0.0.1:1883") -> Path:
    """The folder of a node that has been enrolled."""
    pki = tmp_path / "pki"
    enrol.make_authorities(pki, "demo", enrol.utc_now())
    place = Broker.parse(broker)
    return node_enrol.enrol_node(pki, name, "air", place, enrol.utc_now(), interval_s=1)[1]


def node(*words: str | Path, port: str = "") -> Any:
    """The outcome of `cityvitals node ...`; a failure is in `.exception`."""
    more = ["--port", port] if port else []
    return CliRunner().invoke(app, ["node", *map(str, words), *more])


def flashed(folder: Path, board: Board, *words: str) -> None:
    done = node("flash", folder, *words, port=board.port)
    assert done.exit_code == 0, done.exception


def test_a_flashed_board_is_a_node_that_delivers(server: ServerFactory, tmp_path: Path, board: Board) -> None:
    broker = server(Mosquitto)
    folder = enrolled(tmp_path, broker=broker.url)
    node_config.change(folder, ["ntp_wait_s=0"])  # there is no time server here for its readings to wait for
    flashed(folder, board)
    wait_for(lambda: board.starts == 3, 5, "its restarts: when main.py had gone, and when all was there")
    assert (board.folder / "main.py").read_bytes() == (release.FIRMWARE / "loader.py").read_bytes()
    with Listener(broker.port, "demo") as heard, Node(board.folder, slots=True) as started:
        started.air()
        started.boot()
        wait_for(lambda: heard.with_values("pm2_5"), 60, "a record of the node")
        assert heard.with_values("pm2_5")[0]["head"]["boot"] > 1_500_000  # of no board before


@pytest.mark.usefixtures("short")
def test_a_board_without_a_folder_gets_the_firmware_and_a_password_for_its_label(tmp_path: Path, board: Board) -> None:
    done = node("flash", "--unenrolled", port=board.port)
    assert done.exit_code == 0, done.exception
    password = json.loads((board.folder / "portal.json").read_bytes())["password"]
    assert f"password {password}." in done.output
    assert len(password) == 14
    again = node("flash", "--unenrolled", port=board.port)
    assert f"password {password}." in again.output  # its label stays true
    flashed(enrolled(tmp_path), board)
    assert "is a node already" in str(node("flash", "--unenrolled", port=board.port).exception)
    assert "Name the node's folder" in str(node("flash", port=board.port).exception)


@pytest.mark.usefixtures("short")
def test_flashing_again_repairs_what_is_broken_and_keeps_the_nodes_own_files(tmp_path: Path, board: Board) -> None:
    folder = enrolled(tmp_path)
    flashed(folder, board)
    (board.folder / "main.py").unlink()  # as after a flashing that was interrupted
    (board.folder / "a/firmware/records/ring.mpy").write_bytes(b"half")
    for name in ("boots", "ring.bin", "slots", "config.trial"):
        (board.folder / name).write_text("x")
    flashed(folder, board)
    assert (board.folder / "a/firmware/records/ring.mpy").read_bytes() == RING
    present = {path.name for path in board.folder.iterdir()}
    assert {"main.py", "boots", "ring.bin"} <= present
    assert (board.folder / "boots").read_text() == "x"
    assert not {"slots", "config.trial"} & present, "an update or a trial of before is over"


@pytest.mark.usefixtures("short")
def test_a_board_that_is_another_node_is_replaced_only_when_that_is_said(tmp_path: Path, board: Board) -> None:
    flashed(enrolled(tmp_path), board)
    (board.folder / "ring.bin").write_text("records")
    (board.folder / "boots").write_text("x")
    other = enrolled(tmp_path, "aq-002")
    for words in (["flash", str(other)], ["config", str(other), "--write"]):
        error = node(*words, port=board.port).exception
        assert isinstance(error, UsageError)
        assert "is the node 'demo/aq-001'" in str(error)
    assert json.loads((board.folder / "node.json").read_bytes())["device"] == "aq-001"
    assert (board.folder / "main.py").exists()
    flashed(other, board, "--replace")
    assert json.loads((board.folder / "node.json").read_bytes())["device"] == "aq-002"
    assert (board.folder / "boots").read_text() != "x", "the one has counted its own boots"
    assert not (board.folder / "ring.bin").exists(), "the records of the one are not sent as the other's"


@pytest.mark.usefixtures("short")
def test_the_configuration_is_changed_checked_and_written(tmp_path: Path, board: Board) -> None:
    folder = enrolled(tmp_path)
    flashed(folder, board)
    done = node("config", folder, "--set", "interval_s=30", "--set", "wifi.ssid=net", "--write", port=board.port)
    assert done.exit_code == 0, done.exception
    assert "node.json; the node has been restarted" in done.output
    assert json.loads((board.folder / "node.json").read_bytes())["interval_s"] == 30
    shown = node("config", port=board.port)
    assert json.loads(shown.output)["interval_s"] == 30
    key = json.loads((folder / "node.json").read_bytes())["ota_key"]
    assert key not in shown.output + done.output
    before = (folder / "node.json").read_bytes()
    error = node("config", folder, "--set", "intervall_s=30").exception
    assert "did you mean interval_s" in str(error)
    assert (folder / "node.json").read_bytes() == before


def test_passwords_are_set_from_files_and_the_file_that_holds_them_is_whole_and_private(tmp_path: Path) -> None:
    folder, password = enrolled(tmp_path), tmp_path / "password"
    path = folder / "node.json"
    path.chmod(0o644)  # as an editor may have left it
    password.write_text("12345678 ü\n")
    for key in ("wifi.password", "mqtt.password"):
        done = node("config", folder, "--set", "wifi.ssid=net", "--set-file", f"{key}={password}")
        assert done.exit_code == 0, done.exception
        assert "12345678" not in done.output
        table, name = key.split(".")
        assert json.loads(path.read_bytes())[table][name] == "12345678 ü"
    assert oct(path.stat().st_mode & 0o777) == "0o600"
    before, other = path.read_bytes(), (tmp_path / "second").resolve()
    os.link(path, other)
    node("config", folder, "--set", "interval_s=7")
    assert other.read_bytes() == before, "written beside and renamed: a reader always has a whole file"
    assert sorted(p.name for p in folder.iterdir()) == ["ca.der", "device.der", "device.key.der", "node.json"]
    password.write_bytes(b"\xff\xfe")
    for words, says in (
        (["wifi.password"], "write key=value"),
        ([f"wifi.password={tmp_path / 'nowhere'}"], "wifi.password cannot be read"),
        ([f"wifi.password={password}"], "is not UTF-8 text"),
        ([f"interval_s.x={tmp_path / 'second'}"], "'interval_s' is not a table"),
    ):
        error = node("config", folder, "--set-file", *words).exception
        assert isinstance(error, UsageError)
        assert says in str(error)


@pytest.mark.parametrize("value", ["5", "null", "[]", "{}", "true", '""'])
def test_a_name_of_a_file_that_is_no_text_is_a_sentence(tmp_path: Path, value: str) -> None:
    folder = enrolled(tmp_path, broker="mqtts://gateway.local")
    error = node("config", folder, "--set", f"mqtt.tls.ca={value}").exception
    assert isinstance(error, UsageError)
    assert "mqtt.tls.ca: write a text." in str(error)
    path = folder / "node.json"
    path.write_text(path.read_text().replace('"ca.der"', value))
    with pytest.raises(UsageError, match=r"mqtt\.tls\.ca: write a text\."):
        node_config.check_folder(folder)


def test_a_configuration_that_is_nested_without_end_or_has_another_key_for_tls_is_a_sentence(tmp_path: Path) -> None:
    folder = enrolled(tmp_path)
    assert "mqtt.tls has no key 'cat'" in str(node("config", folder, "--set", "mqtt.tls.cat=x").exception)
    for text in (b"[" * 100_000, b'{"a":' * 300 + b"1" + b"}" * 300):
        (folder / "node.json").write_bytes(text)
        error = node("config", folder).exception
        assert isinstance(error, UsageError)
        assert "is not JSON: it is nested too deeply" in str(error)


def test_an_empty_board_is_no_node(board: Board) -> None:
    assert "it is not a node yet" in str(node("config", port=board.port).exception)


def test_a_wrong_port_folder_or_board_is_a_sentence_and_exit_code_2(tmp_path: Path) -> None:
    folder = enrolled(tmp_path)
    gone = tmp_path / "nowhere"
    with Board(tmp_path / "files", micropython(), silent=True) as silent:
        cases: list[tuple[list[str | Path], str]] = [
            (["flash", folder, "--port", gone], f"There is no port {gone}"),
            (["console", "--port", gone], f"There is no port {gone}"),
            (["flash", gone, "--port", silent.port], "name the folder that `cityvitals enrol device"),
            (["flash", folder, "--port", silent.port, "--timeout", "0.3"], f"board answers on {silent.port}"),
            (["config", "--port", silent.port, "--timeout", "0.3"], f"board answers on {silent.port}"),
        ]
        for words, says in cases:
            error = node(*words).exception
            assert isinstance(error, UsageError), (words, error)
            assert says in str(error)
    command = [sys.executable, "-m", "cityvitals", "node", "flash", str(folder), "--port", str(gone)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr


ESP32 = """
class Partition:
    TYPE_DATA = 1
    @staticmethod
    def find(kind, label):
        return [Partition()] if label == open("label").read() else []
    def info(self):
        return (1, 0x81, 0x380000, 0x80000, "ring", False)
    def ioctl(self, op, block):
        if op == 6:
            open("erased", "a").write(str(block))
        return 3
"""


@pytest.mark.usefixtures("short")
def test_of_an_esp32_more_is_asked(tmp_path: Path, board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own module is stood in for by a file on the board; what asks it runs on the real MicroPython."""
    monkeypatch.setattr(node_flash, "PLATFORMS", {"linux": "esp32"})
    (board.folder / "esp32.py").write_text(ESP32)
    (board.folder / "label").write_text("vfs")
    folder = enrolled(tmp_path)
    assert "has no data partition 'ring'" in str(node("flash", folder, port=board.port).exception)
    (board.folder / "label").write_text("ring")
    assert "names no Wi-Fi" in str(node("flash", folder, port=board.port).exception)
    assert not (board.folder / "node.json").exists()
    for name in ("aq-001", "aq-002"):
        folder = folder if name == "aq-001" else enrolled(tmp_path, name)
        node_config.change(folder, ["wifi.ssid=net"])
        flashed(folder, board, "--replace")
    assert (board.folder / "erased").read_text() == "012", "once, for the second node"


def test_a_board_that_goes_away_is_a_sentence(tmp_path: Path, board: Board) -> None:
    from adapters.serial.board import Board as Connected

    with Connected(board.port, timeout=1) as connected:
        with pytest.raises(CityVitalsError, match=r"reports: OSError: .*2"):
            connected.run("open('nothing')")
        assert board._process
        board._process.kill()
        with pytest.raises(CityVitalsError, match="was lost"):
            connected.run("print(1)")
        with pytest.raises(CityVitalsError, match="did not restart"):
            connected.restart()


def test_a_board_that_answers_something_else_is_a_sentence(board: Board) -> None:
    from adapters.serial.board import Board as Connected

    with Connected(board.port, timeout=5) as connected:
        assert connected.version()[0] == "linux"
        connected.put("there", b"x")
        assert connected.read("there") == b"x"
        for noise in ("wifi: connected", "'text'", "(1, 2)", "(" * 300, "b'x' b"):
            connected.run(f"import sys\ndef print(*a):\n    sys.stdout.write({noise!r})")
            missing, read = partial(connected.missing, {"a": b"", "b": b""}), partial(connected.read, "there")
            for asked in (connected.version, missing, read):
                with pytest.raises(CityVitalsError, match=rf"{board.port} sent the unexpected answer"):
                    asked()


def test_a_certificate_that_is_not_there_is_found_before_a_board_is_stopped(tmp_path: Path) -> None:
    folder = enrolled(tmp_path, broker="mqtts://gateway.local")
    (folder / "ca.der").unlink()
    with pytest.raises(UsageError, match=r"names 'ca.der', which is not in"):
        node_config.check_folder(folder)
    with pytest.raises(UsageError, match=r"names no Wi-Fi; run `cityvitals node config .* --set wifi\.ssid=NAME`"):
        node_config.check_folder(enrolled(tmp_path, "aq-002"))


def test_without_the_extra_it_says_how_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extras, "find_spec", lambda _: None)
    for words in (["flash", enrolled(tmp_path)], ["config"], ["console"]):
        error = node(*words).exception
        assert isinstance(error, CityVitalsError)
        assert install_command("node") in str(error)


def test_the_console_shows_what_the_board_prints_and_sends_what_is_typed(board: Board) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "cityvitals", "node", "console", "--port", board.port]
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs)
    os.set_blocking(ours, False)
    seen = bytearray()

    def shows(text: bytes) -> bool:
        with contextlib.suppress(BlockingIOError):
            seen.extend(os.read(ours, 1000))
        return text in seen

    try:
        wait_for(lambda: os.write(ours, b"\r") and shows(b">>> "), 10, "a prompt")
        os.write(ours, b"print(6*7)\r")
        wait_for(lambda: shows(b"42"), 10, "the answer")
        os.write(ours, b"\x1d")
        assert process.wait(10) == 0
    finally:
        process.kill()
        os.close(ours)
        os.close(theirs)
