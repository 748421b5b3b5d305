"""A board for a test: a strict model of the ESP32 port on real MicroPython, with models at the tools' own pins."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any, Self

from edge.tools import boards, drivers, node_kinds
from simulators.hardware.line import Device
from tests.firmware.interpreters import REPO, micropython
from tests.firmware.models import model

API = REPO / "simulators/hardware/esp32_api"
SCRIPTS = REPO / "tests/firmware/scripts"


class StrictBoard:
    """A folder with the board's flash, its description and its sensors. Use as a context manager."""

    def __init__(self, folder: Path, chip: str, **world: Any) -> None:
        self.folder, self.chip = folder, chip
        folder.mkdir(parents=True, exist_ok=True)
        self.firmware = REPO / "edge"  # the folder that holds the package
        self.devices: list[Device] = []
        self.sensors: list[dict[str, Any]] = []
        self.world: dict[str, Any] = {
            "chip": chip, "rtc": str(folder / "rtc.bin"), "flash": str(folder / "flash.bin"),
            "nvs": str(folder / "nvs.json"), "partitions": {"ring": 16}, "uart": [], "i2c": [], "adc": {}, "pulse": {},
            "octal": chip == "esp32s3", "wifi": {"ssid": "home", "password": "secret"}, **world,
        }  # fmt: skip

    def wire(self, wanted: str) -> dict[str, Any]:
        """Connect the model of a driver to the tool's own default pins; returns the entry of the configuration."""
        name = wanted.partition(",")[0]
        options = node_kinds.sensors("air", [wanted], self.chip)[0]
        device = model(name).make(self.folder / name)
        self.connect(device, name, options)
        return options

    def connect(self, device: Device, name: str, options: dict[str, Any]) -> None:
        """Put a model onto the pins that a sensor's options name."""
        path = str(device.line.path)
        match drivers.driver(name).bus:
            case "uart" | "rs485":
                line = {"rx": options["rx"], "tx": options.get("tx", -1), "path": path, **model(name).line}
                self.world["uart"].append({"parity": None, "invert": False, **line})
            case "i2c":
                self.world["i2c"].append({"sda": options["sda"], "scl": options["scl"], "path": path})
            case "adc":
                self.world["adc"][str(options["pin"])] = path
            case "pin":
                self.world["pulse"][str(options["pin"])] = path
            case "spi":
                pins = {key: options[key] for key in ("sck", "mosi", "miso", "cs")}
                self.world.setdefault("spi", []).append({**pins, "path": path, **model(name).line})
            case "i2s":
                pins = {key: options[key] for key in ("sck", "ws", "sd")}
                self.world["i2s"] = {**pins, "path": str(device.sound)}  # type: ignore[attr-defined]
            case "onewire":
                self.world.setdefault("onewire", {})[str(options["pin"])] = path
        self.devices.append(device)
        self.sensors.append(options)
        device.start()

    def run(self, script: str, *args: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
        """Run a script of `scripts/` on the board; its output is what it printed."""
        return subprocess.run(
            self.command(script, *args),
            env=self.environment(), capture_output=True, text=True, timeout=timeout, check=False,
        )  # fmt: skip

    def command(self, script: str, *args: str) -> list[str]:
        """How the board is started."""
        return [str(micropython()), str(SCRIPTS / script), *args]

    def environment(self) -> dict[str, str]:
        """The description of the board, and the strict modules in front of the interpreter's own."""
        path = self.folder / "board.json"
        path.write_text(json.dumps(self.world))
        return {
            **os.environ, "ESP32_BOARD": str(path), "TZ": "UTC",
            "MICROPYPATH": os.pathsep.join([".frozen", str(API), str(self.firmware), str(SCRIPTS)]),
        }  # fmt: skip

    def change(self, **world: Any) -> None:
        """Change the world of a running board."""
        self.world.update(world)
        path = self.folder / "board.json"
        aside = path.with_suffix(".new")
        aside.write_text(json.dumps(self.world))
        aside.rename(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for device in self.devices:
            device.stop()


CHIPS = tuple(boards.BOARDS)
