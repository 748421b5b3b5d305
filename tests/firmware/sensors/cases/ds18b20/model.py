from simulators.hardware.onewire import OneWire
from tests.firmware.models import Model

MODEL = Model(OneWire, {"temperature": 18.5})
