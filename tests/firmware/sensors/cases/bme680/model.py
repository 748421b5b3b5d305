from simulators.hardware.bme680 import Bme680
from tests.firmware.models import Model, chips

# 52 kohm in the ten bits of its range: 795 in range 7.
MODEL = Model(
    chips(x76=Bme680()), {"temperature": 21.5, "humidity": 45.0, "pressure": 1013.25, "gas_resistance": 51979}
)
