from simulators.hardware.climate import Scd41
from tests.firmware.models import Model, chips

MODEL = Model(chips(x62=Scd41(running=True)), {"co2": 612, "temperature": 22.0, "humidity": 50.0})
