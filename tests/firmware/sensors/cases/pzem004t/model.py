from pathlib import Path

from simulators.hardware.line import Device
from simulators.hardware.meters import Pzem004t
from tests.firmware.models import Model


def make(path: Path) -> Device:
    meter = Pzem004t(path)
    meter.measure(225.7, 0.108, 24.4, 70038)
    return meter


MODEL = Model(make, {"voltage": 225.7, "current": 0.108, "energy_total": 70038}, {"baud": 9600})
