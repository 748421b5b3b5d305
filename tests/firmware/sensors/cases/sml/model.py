from simulators.hardware.sml import SmlMeter
from tests.firmware.models import Model

MODEL = Model(
    SmlMeter,
    {"energy_total": 12345678.9, "energy_export_total": 500, "power": -1234, "voltage": 230.1},
    {"baud": 9600},
)
