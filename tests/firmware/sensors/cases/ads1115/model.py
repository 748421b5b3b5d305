from simulators.hardware.climate import Ads1115
from tests.firmware.models import Model, chips

MODEL = Model(
    chips(x48=Ads1115([512000, 300000, -25000, 1000])),
    {"no2_we": 512.0, "no2_ae": 300.0, "o3_we": -25.0, "o3_ae": 1.0},
)
