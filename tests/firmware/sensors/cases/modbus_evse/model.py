from pathlib import Path

from simulators.hardware.line import Device
from simulators.hardware.meters import ModbusSlave
from tests.firmware.models import Model


def make(path: Path) -> Device:
    station = ModbusSlave(path, function=3)
    station.registers = dict.fromkeys(range(0x400C, 0x4020), 0)
    station.registers.update({0x400D: 0x0300, 0x4011: 16000, 0x4017: 2301, 0x401D: 3680, 0x401F: 5500})
    return station


MODEL = Model(make, {"connector_state": 2, "current": 16.0, "voltage": 230.1}, {"baud": 19200})
