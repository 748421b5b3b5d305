from simulators.hardware.climate import Sht4x
from tests.firmware.models import Model, chips

MODEL = Model(chips(x44=Sht4x()), {"temperature": 25.0, "humidity": 40.0})
