from simulators.hardware.meters import P1Port
from tests.firmware.models import Model

MODEL = Model(
    lambda path: P1Port(path, lambda: (2345678, 450)),
    {"energy_total": 2345678, "power": 450, "voltage": 231.4},
    {"baud": 115200, "invert": True},
)
