"""A real node for a test: MicroPython runs the firmware, models on pseudo-terminals stand for its sensors.

with Node(tmp_path) as node:
    node.start("127.0.0.1", port, "demo", "air-01")
    ...
"""

import json
import os
import shutil
import signal
import subprocess
import threading
from pathlib import Path
from typing import Any

from edge.tools.release import install
from edge.tools.romfs import image
from simulators.hardware.bme280 import Bme280
from simulators.hardware.i2c import Bus
from simulators.hardware.line import Device
from simulators.hardware.pms5003 import Pms5003
from tests.firmware.certificates import Authority
from tests.firmware.interpreters import REPO, micropython
from tests.firmware.remote.built import built

AIR = [{"driver": "pms5003", "port": 1}, {"driver": "bme280", "bus": 0, "address": 118}]


def compiled() -> dict[str, bytes]:
    """The firmware of the unix port by file name."""
    return built("unix")


class Node:
    """One node and its hardware. The folder is its file system: a second `start` is the same node again."""

    def __init__(self, workdir: Path, bits: int = 64, heap: str = "", slots: bool = False, script: str = "") -> None:
        self.workdir = Path(workdir)
        self.workdir.mkdir(parents=True, exist_ok=True)
        self.bits = bits
        self.heap = heap
        self.slots = slots  # start through the loader, from the compiled firmware in slot a or b
        self.script = script  # of `scripts/`, instead of the firmware itself
        self.exits: list[int] = []
        self.wanted = False
        self.process: subprocess.Popen[bytes] | None = None
        self._switching = threading.Lock()  # no restart begins while the node is switched off
        self.wiring: dict[str, Any] = {"uart": {}, "i2c": {}, "pulse": {}, "speed": 1, "sectors": 16}
        self.devices: list[Device] = []

    def install(self) -> None:
        """Put the compiled firmware into slot a, for nodes that start through the loader."""
        install(compiled(), self.workdir / "a")

    def install_rom(self) -> None:
        """Put the firmware where `rom_node.py` maps it, for nodes whose modules run in place."""
        (self.workdir / "rom.img").write_bytes(image(compiled()))

    def air(self) -> list[dict[str, Any]]:
        """Wire a PMS5003 and a BME280; they stay as `self.pms` and `self.bme`."""
        self.pms = Pms5003(self.workdir / "uart1")
        self.bme = Bme280()
        self.bus = Bus(self.workdir / "i2c0", {0x76: self.bme})
        self.wire(self.pms, "uart", "1")
        self.wire(self.bus, "i2c", "0")
        return AIR

    def wire(self, device: Device, kind: str, port: str) -> None:
        """Connect a model to a port of the board and start it."""
        self.wiring[kind][port] = str(device.line.path)
        self.devices.append(device)
        device.start()

    def certified(self, ca: Authority, name: str) -> dict[str, str]:
        """Give the node a certificate; returns the table `mqtt.tls` of its configuration."""
        ca.issue(name)
        for file in ("ca.der", f"{name}.der", f"{name}.key.der"):
            (self.workdir / file).write_bytes((ca.folder / file).read_bytes())
        return {"ca": "ca.der", "cert": f"{name}.der", "key": f"{name}.key.der", "name": "broker"}

    def configure(
        self,
        broker_host: str,
        port: int,
        city: str,
        device: str,
        interval_s: int = 1,
        sensors: list[dict[str, Any]] | None = None,
        mqtt: dict[str, Any] | None = None,
        **more: Any,
    ) -> None:
        """Write the node's configuration; without `sensors` it is an air-quality node."""
        if sensors is None:
            sensors = AIR if self.devices else self.air()
        link = {"host": broker_host, "port": port, "keepalive_s": 5, "backoff_max_s": 2, **(mqtt or {})}
        conf = {"city": city, "device": device, "interval_s": interval_s, "mqtt": link, "sensors": sensors, **more}
        (self.workdir / "node.json").write_text(json.dumps(conf))

    def start(self, broker_host: str, port: int, city: str, device: str, interval_s: int = 1, **more: Any) -> None:
        """Configure the node and switch it on."""
        self.configure(broker_host, port, city, device, interval_s, **more)
        self.boot()

    def boot(self) -> None:
        """Switch on with the configuration that is there; resets start it again until `kill`."""
        (self.workdir / "wiring.json").write_text(json.dumps(self.wiring))
        self.wanted = True
        self._spawn()
        self._keeper = threading.Thread(target=self._keep, daemon=True)
        self._keeper.start()

    def _ends_with_us(self) -> list[str]:
        """Have Linux kill the node when the thread that started it is gone: a node left over reads the serial lines of
        later tests, whose pseudo-terminals get the same numbers.
        """
        found = shutil.which("setpriv")
        return [found, "--pdeathsig", "KILL"] if found else []

    def _command(self) -> list[str]:
        options = ["-X", f"heapsize={self.heap}"] if self.heap else []
        start = [str(REPO / "edge/firmware/loader.py")] if self.slots else ["-m", "firmware"]
        if self.script:
            start = [str(REPO / "tests/firmware/scripts" / self.script)]
        return [str(micropython(self.bits)), *options, *start, "."]  # short paths, as on a board: they take heap

    def _spawn(self) -> None:
        path = ".frozen" if self.slots else f".frozen:{REPO / 'edge'}"
        with (self.workdir / "console.txt").open("ab") as console:
            self.process = subprocess.Popen(
                [*self._ends_with_us(), *self._command()],
                cwd=self.workdir,
                env={**os.environ, "MICROPYPATH": path},
                stdout=console,
                stderr=console,
            )

    def _keep(self) -> None:
        """What the hardware does: start again after a reset (status 75) or a watchdog's bite."""
        while self.wanted and self.process:
            self.exits.append(self.process.wait())
            with self._switching:
                if not self.wanted or self.exits[-1] not in (75, -signal.SIGALRM):
                    return
                self._spawn()

    def kill(self) -> None:
        """End the node at once, as a crash or a reset does: what is on flash and in the RTC stays."""
        with self._switching:
            self.wanted = False
        while self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
        if self.process:
            self._keeper.join()
            self.process = None

    def power_cut(self) -> None:
        """End the node at once and lose what only lived as long as there was power."""
        self.kill()
        (self.workdir / "rtc.bin").unlink(missing_ok=True)

    def stop(self) -> None:
        """End the node and its hardware."""
        self.kill()
        for device in self.devices:
            device.stop()
        self.devices = []

    def console(self) -> str:
        """What the node has printed."""
        return (self.workdir / "console.txt").read_text(errors="replace")

    def __enter__(self) -> "Node":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
