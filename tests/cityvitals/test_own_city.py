"""A city of one's own: `init`, `run`, a message by mosquitto_pub, and its value is read over HTTP."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import tomllib
import urllib.error
import urllib.request
from pathlib import Path

import msgspec
import psutil
import pytest
from typer.testing import CliRunner

from adapters.sqlite.buffer import Buffer
from cityvitals.cli.main import app
from cityvitals.clock import now_ms
from cityvitals.local.children import answers
from telemetry.errors import UsageError
from telemetry.readings import Readings
from telemetry.series import Series
from telemetry.windows import DAY, MINUTE
from tests.processes import free_port, need, start, wait_for


def init(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["init", *arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.output


def test_the_written_files_are_valid_and_carry_what_was_given(tmp_path: Path) -> None:
    folder = tmp_path / "sea-town"
    printed = init(str(folder), "--country", "NO", "--timezone", "Europe/Oslo", "--population", "52000")
    city = tomllib.loads((folder / "city.toml").read_text())["city"]
    assert city == {
        "id": "sea-town",
        "name": "Sea Town",
        "country": "NO",
        "timezone": "Europe/Oslo",
        "population": 52000,
    }
    assert f"cityvitals run {folder}" in printed


def test_files_that_exist_are_left_as_they_are(tmp_path: Path) -> None:
    folder = tmp_path / "town"
    init(str(folder))
    (folder / "city.toml").write_text("mine")
    with pytest.raises(UsageError, match=r"city\.toml exists already"):
        init(str(folder))
    assert (folder / "city.toml").read_text() == "mine"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["my town"], "is not a valid id"),
        (["town", "--timezone", "Europe/Olso"], "Olso"),
        (["town", "--name", 'a "quoted" \\ name'], ""),
    ],
)
def test_what_cannot_be_is_refused_and_leaves_no_file(tmp_path: Path, arguments: list[str], message: str) -> None:
    folder = tmp_path / arguments[0]
    if not message:
        init(str(folder), *arguments[1:])
        assert tomllib.loads((folder / "city.toml").read_text())["city"]["name"] == arguments[2]
        return
    with pytest.raises(UsageError, match=message):
        init(str(folder), *arguments[1:])
    assert not list(tmp_path.rglob("*.toml"))


def test_a_message_published_by_hand_is_read_over_http(tmp_path: Path) -> None:
    publish = need("mosquitto_pub", "mosquitto-clients")
    folder, web, broker = tmp_path / "town", free_port(), free_port()
    init(str(folder), "--timezone", "UTC")
    log = tmp_path / "log"
    running = start(
        [sys.executable, "-m", "cityvitals", "run", str(folder), "--port", str(web), "--broker-port", str(broker)],
        log=log,
    )

    def listening() -> bool:
        return "Ctrl-C" in log.read_text()

    def air() -> list[dict[str, object]]:
        url = f"http://127.0.0.1:{web}/v1/cities/town/kpis?period=24h"
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                found = msgspec.json.decode(answer.read())
        except (urllib.error.URLError, OSError):
            return []
        rows: list[dict[str, object]] = found["kpis"] if isinstance(found, dict) else found
        return [r for r in rows if r["part"] == "pm2_5"]

    wait_for(listening, 60, "the city to run")
    subprocess.run(
        [publish, "-p", str(broker), "-q", "1", "-t", "town/aq-1", "-m", '{"pm2_5": 8.1, "pm10": 14}'], check=True
    )
    wait_for(air, 60, "the city's values to name the particles")
    running.send_signal(signal.SIGINT)
    assert running.wait(30) == 0, log.read_text()
    assert {p.name for p in folder.iterdir()} >= {"gateway.db", "store.db", "gateway.log"}


def test_addresses_are_printed_when_the_gateway_receives_what_is_published(tmp_path: Path) -> None:
    folder, web, log = tmp_path / "town", free_port(), tmp_path / "log"
    init(str(folder), "--timezone", "UTC")
    buffer = Buffer(folder / "gateway.db", MINUTE)
    series = buffer.table.id_of(Series("town", "aq-1", "pm2_5"))
    in_a_day = now_ms() + DAY  # so this gateway waits until the clock is set, and receives nothing
    buffer.put(Readings.of([series], [in_a_day], [1.0], arrival=[in_a_day + 50]))
    buffer.close()
    ports = ["--port", str(web), "--broker-port", str(free_port())]
    running = start([sys.executable, "-m", "cityvitals", "run", str(folder), *ports], log=log)
    wait_for(lambda: answers(f"http://127.0.0.1:{web}/healthz"), 60, "the API")
    wait_for(lambda: "waiting until it is set" in (folder / "gateway.log").read_text(), 60, "the gateway to wait")
    [gateway] = [p for p in psutil.Process(running.pid).children() if "gateway" in p.cmdline()]
    gateway.kill()
    assert running.wait(60) == 1
    printed = log.read_text()
    assert "gateway ended with code -9" in printed
    assert "Ctrl-C" not in printed
    assert not (folder / ".gateway.ready").exists()


def test_a_taken_broker_port_is_a_sentence(tmp_path: Path) -> None:
    folder = tmp_path / "town"
    init(str(folder))
    blocker = free_port()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", blocker))
        taken.listen()
        command = ["run", str(folder), "--port", str(free_port()), "--broker-port", str(blocker)]
        with pytest.raises(UsageError, match="systemctl disable --now mosquitto"):
            CliRunner().invoke(app, command, catch_exceptions=False)
