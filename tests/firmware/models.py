"""For each driver the model of its sensor, wired to the pins that the tools choose, and what it must report.

They are found by folder: `tests/firmware/sensors/cases/<driver>/model.py`.
"""

from collections.abc import Callable
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from simulators.hardware.i2c import Bus, Chip
from simulators.hardware.line import Device

CASES = Path(__file__).parent / "sensors" / "cases"


class Model(NamedTuple):
    """`make` builds it on a serial line; `line`: what its side of the line must be set to."""

    make: Callable[[Path], Device]
    expected: dict[str, float]
    line: dict[str, Any] = {}  # noqa: RUF012 - never changed


def chips(**by_address: Chip) -> Callable[[Path], Device]:
    """A bus with chips: `chips(x44=Sht4x())`."""
    return lambda path: Bus(path, {int(name[1:], 16): chip for name, chip in by_address.items()})


@cache
def model(driver: str) -> Model:
    """The `MODEL` of a driver's case folder."""
    found = import_module(f"tests.firmware.sensors.cases.{driver}.model").MODEL
    assert isinstance(found, Model), f"{driver}: MODEL is not a Model"
    return found
