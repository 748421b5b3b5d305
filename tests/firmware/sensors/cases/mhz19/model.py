from simulators.hardware.gases import Mhz19
from tests.firmware.models import Model

MODEL = Model(Mhz19, {"co2": 655}, {"baud": 9600})
