"""Sound through the firmware's weighting: levels.py FILE SIZE prints dB(A) of each SIZE samples (16 bit, 16 kHz).

For a microphone at which a full-scale sine is 120 dB. With `driver` behind it: what the driver says of the same file.
"""

import array
import math
import sys

from firmware.buses.weighting import FULL_SCALE, Weighting
from firmware.sensors.i2s_noise import Levels

size = int(sys.argv[2])
with open(sys.argv[1], "rb") as file:  # noqa: PTH123
    samples = array.array("h", file.read())
levels = Levels()
for start in range(0, len(samples), size):
    weighting = Weighting(samples[start])
    weighting.energy(samples, start, 1600)
    energy = weighting.energy(samples, start + 1600, size - 1600) / (size - 1600)
    level = 120 + 10 * math.log10(max(energy, 1e-9) / (FULL_SCALE * FULL_SCALE / 2))
    levels.add(level)
    print(round(level, 3))
print(levels.take())
