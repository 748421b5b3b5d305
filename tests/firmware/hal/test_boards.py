"""Every driver on every board, with the pins that the tools choose, on a strict model of MicroPython's ESP32 port."""

import json
import shutil
from pathlib import Path

import pytest

from edge.tools import boards, drivers, node_kinds
from telemetry.errors import UsageError
from tests.firmware.boards import CHIPS, StrictBoard
from tests.firmware.interpreters import REPO
from tests.firmware.models import model

DRIVERS = sorted(drivers.drivers())
# What must be caught: a change of the HAL, and a driver and chip that show it.
MUTANTS = {
    "a pin that is not there": ("if key in options:\n                wanted", "if True:\n                wanted"),
    "tx=None": ('wanted["tx"] = -1', 'wanted["tx"] = None'),
    "no tx at all": ('wanted["tx"] = -1', "pass"),
    "GPIO22 whatever the board": ('machine.Pin(options["scl"]), machine', "machine.Pin(22), machine"),
    "the default buffer": ('options.get("rxbuf", 2048)', "256"),
    "no inversion": ('if options.get("invert"):', "if False:"),
    "UART 0": ("if not port:", "if False:"),
    "a bus made for each sensor": ("if key not in self._lines:\n            scl", "if True:\n            scl"),
    "another rate": ('"baudrate": baud', '"baudrate": 2 * baud'),
}
_SHOWN_BY = {"GPIO22 whatever the board": ("bme280", "esp32s3"), "another rate": ("pms5003", "esp32s3")}


def values(board: StrictBoard, options: dict[str, object], tries: int = 5) -> dict[str, float] | str:
    """What the driver reports, or the error."""
    done = board.run("read_driver.py", json.dumps(options), str(tries))
    if done.returncode or not done.stdout.strip():
        return (done.stdout + done.stderr).strip()
    got = json.loads(done.stdout.splitlines()[-1])
    return {n: round(m / 10**d, 6) for n, m, d in got} if isinstance(got, list) else str(got)


def test_each_driver_has_a_model() -> None:
    assert [name for name in DRIVERS if not model(name).expected] == []


@pytest.mark.parametrize("chip", CHIPS)
@pytest.mark.parametrize("name", DRIVERS)
def test_a_driver_reads_its_sensor_with_the_default_pins_of_the_tools(tmp_path: Path, name: str, chip: str) -> None:
    with StrictBoard(tmp_path, chip) as board:
        options = board.wire(name)
        got = values(board, options)
    assert isinstance(got, dict), got
    wanted = model(name).expected
    assert {key: got.get(key) for key in wanted} == pytest.approx(wanted, abs=0.011)
    assert set(got) <= {key.rpartition("/")[2] for key in drivers.driver(name).quantities}


def mutated(tmp_path: Path, old: str, new: str) -> Path:
    """A copy of the firmware with one change in the HAL."""
    shutil.copytree(REPO / "edge/firmware", tmp_path / "mutant/firmware")
    hal = tmp_path / "mutant/firmware/hal/esp32_board.py"
    text = hal.read_text()
    assert old in text, old
    hal.write_text(text.replace(old, new))
    return tmp_path / "mutant"


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_mistake_in_the_hal_is_caught(tmp_path: Path, mutant: str) -> None:
    name, chip = _SHOWN_BY.get(mutant, ("dsmr_p1", "esp32"))
    with StrictBoard(tmp_path / "board", chip) as board:
        board.firmware = mutated(tmp_path, *MUTANTS[mutant])
        if mutant == "a bus made for each sensor":
            done = board.run("two_sensors.py", json.dumps(board.wire("bme280")))
            assert "CRASH" in done.stderr
            return
        options = board.wire(name)
        if mutant == "UART 0":
            options["port"] = 0
        assert isinstance(values(board, options, tries=1), str)


def test_the_tools_refuse_what_would_crash_the_board() -> None:
    def problems(driver: str, on: str) -> list[str]:
        return node_kinds.faults(node_kinds.sensors("air", [driver], on), on)

    assert problems("bme280,sda=21,scl=22", "esp32s3") == [
        "bme280: scl = 22: the ESP32-S3 with PSRAM (recommended) does not have GPIO22."
    ]
    assert "flash" in problems("pms5003,port=1,rx=9,tx=10", "esp32")[0]
    assert "only an input" in problems("pms5003,port=1,rx=16,tx=34", "esp32")[0]
    assert "cannot measure voltages" in problems("j1772,pin=21", "esp32s3")[0]
    assert "UART 0 is the console" in problems("pms5003,port=0,rx=16,tx=17", "esp32")[0]
    for chip in CHIPS:
        assert [fault for name in DRIVERS for fault in problems(name, chip)] == []


def test_the_tables_of_the_tools_and_of_the_model_agree(tmp_path: Path) -> None:
    del tmp_path
    text = (REPO / "simulators/hardware/esp32_api/chips.py").read_text()
    scope: dict[str, dict[str, dict[str, object]]] = {}
    exec(text, scope)
    for name, board in boards.BOARDS.items():
        model = scope["CHIPS"][name]
        assert board.pins == set(model["pins"])  # type: ignore[call-overload]
        assert set(board.analog) <= set(model["adc1"])  # type: ignore[call-overload]
        assert {line[0] for line in board.lines} == set(range(1, model["uarts"]))  # type: ignore[call-overload]
        assert board.has_counter == bool(model["pcnt"])


def test_a_board_without_room_says_so() -> None:
    with pytest.raises(UsageError, match="no more serial lines"):
        node_kinds.sensors("air", ["pms5003", "sds011"], "esp32c3")
