from simulators.hardware.gases import Scd30
from tests.firmware.models import Model, chips

MODEL = Model(chips(x61=Scd30()), {"co2": 843, "temperature": 21.25, "humidity": 47.5})
