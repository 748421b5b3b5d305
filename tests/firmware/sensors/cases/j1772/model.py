from pathlib import Path

from simulators.hardware.line import Device
from simulators.hardware.pilot import ControlPilot
from tests.firmware.models import Model


def make(path: Path) -> Device:
    pilot = ControlPilot(path)
    pilot.state = "C"
    return pilot


MODEL = Model(make, {"connector_state": 2})
