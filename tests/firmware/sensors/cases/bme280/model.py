from simulators.hardware.bme280 import Bme280
from tests.firmware.models import Model, chips

MODEL = Model(chips(x76=Bme280()), {"temperature": 21.5, "humidity": 45.0, "pressure": 1013.25})
