from simulators.hardware.modbus_line import ModbusLine, sdm120
from tests.firmware.models import Model

MODEL = Model(
    lambda path: ModbusLine(path, {1: sdm120(230.5, 3.25, 700.5, 1234.5, 1.5)}, quiet_s=0.01),
    {"voltage": 230.5, "current": 3.25, "power": 700.5, "energy_total": 1234500, "energy_export_total": 1500},
    {"baud": 9600},
)
