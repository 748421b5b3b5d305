"""`cityvitals node doctor` and `node report` over a serial port, with a node on the strict board behind it."""

import json
import os
import subprocess
import tty
from pathlib import Path

from typer.testing import CliRunner

from cityvitals.cli.main import app
from tests.conftest import ServerFactory
from tests.firmware.board_node import BoardNode
from tests.servers import Mosquitto


class UsbNode(BoardNode):
    """Its console is a pseudo-terminal, as a board's USB serial port; `port` is its other end."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._board, self._computer = os.openpty()
        tty.setraw(self._computer)
        self.port = os.ttyname(self._computer)

    def _spawn(self) -> None:
        command = self.command(self.script, str(self.folder), str(self.speed))
        with (self.folder / "console.txt").open("ab") as errors:
            self.process = subprocess.Popen(
                command, env=self.environment(), cwd=self.folder, stdin=self._board, stdout=self._board, stderr=errors
            )

    def __exit__(self, *parts: object) -> None:
        super().__exit__(*parts)
        os.close(self._board)
        os.close(self._computer)


def test_a_node_on_a_serial_port_states_its_condition_and_what_to_do(server: ServerFactory, tmp_path: Path) -> None:
    broker = server(Mosquitto)
    with UsbNode(tmp_path / "board") as node:
        node.wire("bme280")
        node.start(broker.port, mqtt={"tls": {}}, ota_key="ab" * 32)
        done = CliRunner().invoke(app, ["node", "doctor", "--port", node.port, "--timeout", "120"])
        assert "demo/n1: firmware" in done.output, node.console()[-500:]
        assert "network: Wi-Fi 'home'" in done.output
        assert "The clock is not set: no time server has answered." in done.output
        assert done.exit_code == 1
        out = tmp_path / "report.json"
        done = CliRunner().invoke(app, ["node", "report", "--port", node.port, "--seconds", "12", "-o", str(out)])
        assert done.exit_code == 0, done.exception
    found = json.loads(out.read_text())
    assert found["state"]["device"] == "demo/n1"
    assert found["problems"]
    assert any(line.startswith("state {") for line in found["console"])
    assert "secret" not in out.read_text()
    assert "abab" not in out.read_text()
