from pathlib import Path

from simulators.hardware.line import Device
from simulators.hardware.meters import Sdm630
from tests.firmware.models import Model


def make(path: Path) -> Device:
    meter = Sdm630(path)
    meter.measure(230.5, 3.25, 2200.5, 12345.5, 1.5)
    return meter


MODEL = Model(make, {"voltage": 230.5, "power": 2200.5, "energy_total": 12345500}, {"baud": 9600})
