from simulators.hardware.charger import OpenEvse
from tests.firmware.models import Model

MODEL = Model(OpenEvse, {"connector_state": 0, "energy_total": 100000}, {"baud": 115200})
