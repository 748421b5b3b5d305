from simulators.hardware.meters import S0Output
from tests.firmware.models import Model

MODEL = Model(S0Output, {"wind_speed": 0, "wind_gust": 0})
