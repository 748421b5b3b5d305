from simulators.hardware.gases import Sgp41
from tests.firmware.models import Model, chips

MODEL = Model(chips(x59=Sgp41()), {"voc_raw": 30100, "nox_raw": 15900})
