from simulators.hardware.particles import Sds011
from tests.firmware.models import Model

MODEL = Model(Sds011, {"pm2_5": 12.3, "pm10": 45.6}, {"baud": 9600})
