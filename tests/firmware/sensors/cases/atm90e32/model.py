from simulators.hardware.atm90e32 import Atm90e32
from tests.firmware.models import Model

MODEL = Model(
    Atm90e32,
    {
        "voltage": 230.12,
        "current": 4.25,
        "power": 3541.12,
        "power_l2": -110.08,
        "frequency": 49.98,
        "power_factor": 0.973,
    },
    {"mode": 3, "most": 200000},
)
