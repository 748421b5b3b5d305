"""A node on a strict board for a test: it is started again after a reset, and its console is there to be read."""

import json
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

from tests.firmware.boards import StrictBoard


class BoardNode(StrictBoard):
    """`start` writes the configuration and switches on; resets (75) and the watchdog start it again."""

    script = "board_node.py"

    def __init__(self, folder: Path, chip: str = "esp32s3", speed: int = 1, **world: Any) -> None:
        super().__init__(folder, chip, **world)
        self.speed = speed
        self.exits: list[int] = []
        self.process: subprocess.Popen[bytes] | None = None
        self._wanted = False

    def start(self, port: int, host: str = "127.0.0.1", interval_s: int = 1, **more: Any) -> None:
        """Write node.json for the sensors wired so far and switch on."""
        link = {"host": host, "port": port, "keepalive_s": 10, "backoff_max_s": 2, **more.pop("mqtt", {})}
        conf = {
            "city": "demo", "device": "n1", "interval_s": interval_s, "mqtt": link,
            "wifi": {"ssid": "home", "password": "secret"}, "sensors": self.sensors, **more,
        }  # fmt: skip
        conf = {key: value for key, value in conf.items() if value is not None}
        (self.folder / "node.json").write_text(json.dumps(conf))
        self.boot()

    def boot(self) -> None:
        """Switch on with what is there."""
        self._wanted = True
        self._spawn()
        self._keeper = threading.Thread(target=self._keep, daemon=True)
        self._keeper.start()

    def _spawn(self) -> None:
        command = self.command(self.script, str(self.folder), str(self.speed))
        with (self.folder / "console.txt").open("ab") as console:
            self.process = subprocess.Popen(
                command, env=self.environment(), cwd=self.folder, stdin=subprocess.DEVNULL, stdout=console,
                stderr=console,
            )  # fmt: skip

    def _keep(self) -> None:
        while self._wanted and self.process:
            self.exits.append(self.process.wait())
            if not self._wanted or self.exits[-1] not in (75, 76, -signal.SIGALRM):
                return
            if self.exits[-1] == 76:  # deep sleep: the board wakes by its timer
                time.sleep(int((self.folder / "rtc.bin.sleep").read_text()) / 1000 / self.speed)
            self._spawn()

    def kill(self) -> None:
        """End it at once: a reset."""
        self._wanted = False
        while self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self.process:
            self._keeper.join()
            self.process = None

    def console(self) -> str:
        """What the node has printed."""
        path = self.folder / "console.txt"
        return path.read_text(errors="replace") if path.exists() else ""

    def __exit__(self, *parts: object) -> None:
        self.kill()
        super().__exit__(*parts)
