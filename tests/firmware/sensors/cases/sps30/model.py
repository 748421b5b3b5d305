from simulators.hardware.particles import Sps30
from tests.firmware.models import Model

MODEL = Model(Sps30, {"pm1": 3.5, "pm2_5": 7.25, "pm10": 9.5}, {"baud": 115200})
