from simulators.hardware.meters import S0Output
from tests.firmware.models import Model

MODEL = Model(S0Output, {"rain_total": 0})
