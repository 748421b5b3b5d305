from simulators.hardware.pms5003 import Pms5003
from tests.firmware.models import Model

MODEL = Model(Pms5003, {"pm1": 4, "pm2_5": 10, "pm10": 12}, {"baud": 9600})
