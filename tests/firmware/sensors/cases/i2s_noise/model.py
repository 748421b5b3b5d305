from simulators.hardware.microphone import Microphone
from tests.firmware.models import Model

MODEL = Model(Microphone, {"laeq": 94.0, "la10": 94.0, "la90": 94.0})
