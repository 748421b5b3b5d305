"""`cityvitals node doctor` reads a node's state and says what to do; `node report` records it."""

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cityvitals.cli.main import app
from edge.tools import doctor, node_state
from tests.conftest import ServerFactory
from tests.firmware.listener import Listener
from tests.firmware.node import Node
from tests.servers import Mosquitto, wait_for

WELL: dict[str, Any] = {
    "device": "demo/n1", "network": "Wi-Fi 'home': 1010 connected", "broker": "connected", "up": 9000,
    "clock": "confirmed", "sensors": [["bme280 I2C 0", 8990]], "ring": {"fill": 1, "dropped": 0, "waiting": 0},
    "heap": {"free": 40000, "used": 50000}, "log": [],
}  # fmt: skip
ILL = [
    ({"network": "Wi-Fi 'home': 202 wrong password"}, "wifi.password"),
    ({"network": "Wi-Fi 'home': 201 no access point"}, "2.4 GHz"),
    ({"broker": "away at TLS", "log": [[1, 5, "broker", "TLS: not correctly signed by", True]]}, "enrol"),
    ({"broker": "away at CONNACK", "log": [[1, 5, "broker", "CONNACK: refused with code 5: x", False]]}, "ACL"),
    ({"clock": "not set"}, "UDP port 123"),
    ({"sensors": [["bme280 I2C 0", None]]}, "never answered"),
    ({"sensors": [["bme280 I2C 0", 100]]}, "8900 s ago"),
    ({"ring": {"fill": 99, "dropped": 7, "waiting": 3000}}, "7 records were overwritten"),
    ({"heap": {"free": 5000, "used": 1}}, "PSRAM"),
]  # fmt: skip


def test_a_node_that_works_has_no_findings() -> None:
    assert doctor.findings(WELL) == []


@pytest.mark.parametrize(("state", "says"), ILL)
def test_what_is_wrong_comes_with_what_to_do(state: dict[str, Any], says: str) -> None:
    found = doctor.findings(WELL | state)
    assert len(found) == 1, found
    assert says in found[0]


def test_a_node_answers_over_mqtt(server: ServerFactory, tmp_path: Path) -> None:
    broker = server(Mosquitto)
    with Listener(broker.port, "demo") as heard, Node(tmp_path / "node") as node:
        node.start("127.0.0.1", broker.port, "demo", "n1")
        wait_for(lambda: heard.with_values("pm2_5"), 20, "a reading")
        words = ["node", "doctor", "--city", "demo", "--device", "n1", "--broker", broker.url]
        done = CliRunner().invoke(app, words)
    assert "demo/n1: firmware" in done.output
    assert "pms5003 UART 1: answered" in done.output
    assert "The clock is not set" in done.output
    assert done.exit_code == 1


def test_the_last_state_on_a_console_counts() -> None:
    text = 'boot\nstate {"up": 1}\n[3] network: x\nstate {"up": 2}\nstate {broken\n'
    assert node_state.from_console(text) == {"up": 2}
    assert node_state.from_console("nothing") is None
