from simulators.hardware.gases import Sen55
from tests.firmware.models import Model, chips

MODEL = Model(
    chips(x69=Sen55()),
    {"pm1": 3.5, "pm2_5": 7.2, "pm4": 8.0, "pm10": 9.5, "humidity": 45.12, "temperature": 21.5, "voc_index": 100.5},
)
