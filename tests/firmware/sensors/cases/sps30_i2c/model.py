from simulators.hardware.particles import Sps30OnI2c
from tests.firmware.models import Model, chips

MODEL = Model(chips(x69=Sps30OnI2c()), {"pm1": 3.5, "pm2_5": 7.25, "pm4": 8.5, "pm10": 9.5})
