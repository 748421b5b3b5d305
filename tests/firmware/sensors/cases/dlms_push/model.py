from simulators.hardware.dlms import DlmsMeter
from tests.firmware.models import Model

MODEL = Model(DlmsMeter, {"energy_total": 2345678, "power": 450, "voltage": 231.4, "current": 1.95}, {"baud": 2400})
