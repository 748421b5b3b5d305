"""A Bosch BME680: give it air and a gas resistance, it answers with raw ADC values once it was started and heated.

The raw values are found by bisection on the data sheet's floating-point formulas, so that the firmware's integer
arithmetic is checked against another derivation. The trimming values are those of a chip whose readings are published.
"""

import struct

from simulators.hardware.bme280 import bisect
from simulators.hardware.i2c import Registers

T = (26203, 26519, 3)
P = (35008, -10284, 88, 9692, -202, 30, 24, -516, -3469, 30)
H = (794, 1007, 0, 45, 20, 120, -100)
GAS = (-30, -11722, 18)  # heater calibration
RANGE_ERROR = 1
_K1 = (0, 0, 0, 0, 0, -1, 0, -0.8, 0, 0, -0.2, -0.5, 0, -1, 0, 0)  # percent, by range
_K2 = (0, 0, 0, 0, 0.1, 0.7, 0, -0.8, -0.1, 0, 0, 0, 0, 0, 0, 0)


def fine(adc: int) -> float:
    """The data sheet's t_fine."""
    return (adc / 16384 - T[0] / 1024) * T[1] + (adc / 131072 - T[0] / 8192) ** 2 * T[2] * 16


def pascal(adc: int, t_fine: float) -> float:
    """The pressure that a raw value stands for."""
    x = t_fine / 2 - 64000
    offset = (x * x * P[5] / 131072 + x * P[4] * 2) / 4 + P[3] * 65536
    slope = (1 + (P[2] * x * x / 16384 + P[1] * x) / 524288 / 32768) * P[0]
    p = (1048576 - adc - offset / 4096) * 6250 / slope
    return p + (P[8] * p * p / 2**31 + p * P[7] / 32768 + (p / 256) ** 3 * P[9] / 131072 + P[6] * 128) / 16


def percent(adc: int, t_fine: float) -> float:
    """The relative humidity that a raw value stands for."""
    t = t_fine / 5120
    y = (adc - H[0] * 16 - H[2] / 2 * t) * (H[1] / 262144 * (1 + H[3] / 16384 * t + H[4] / 1048576 * t * t))
    return y + (H[5] / 16384 + H[6] / 2097152 * t) * y * y


def ohm(adc: int, scale: int) -> float:
    """The resistance that a raw value in a range stands for."""
    gain = (1340 + 5 * RANGE_ERROR) * (1 + _K1[scale] / 100)
    return 1 / ((1 + _K2[scale] / 100) * 0.000000125 * (1 << scale) * ((adc - 512) / gain + 1))


class Bme680(Registers):
    """Measures `celsius`, `humidity`, `hectopascal` and `resistance` when started in forced mode."""

    def __init__(
        self, celsius: float = 21.5, humidity: float = 45.0, hectopascal: float = 1013.25, resistance: float = 52000
    ) -> None:
        super().__init__()
        self.celsius, self.humidity, self.hectopascal = celsius, humidity, hectopascal
        self.resistance = resistance
        self.memory[0xD0] = 0x61
        self.memory[0x8A:0x8D] = struct.pack("<hb", T[1], T[2])
        self.memory[0x8E:0x9A] = struct.pack("<HhbBhhbb", P[0], P[1], P[2], 0, P[3], P[4], P[6], P[5])
        self.memory[0x9C:0xA1] = struct.pack("<hhB", P[7], P[8], P[9])
        self.memory[0xE1:0xE4] = bytes((H[1] >> 4, (H[1] & 15) << 4 | H[0] & 15, H[0] >> 4))
        self.memory[0xE4:0xE9] = struct.pack("<bbbBb", *H[2:])
        self.memory[0xE9:0xEB] = struct.pack("<H", T[0])
        self.memory[0xEB:0xEF] = struct.pack("<hbb", GAS[1], GAS[0], GAS[2])
        self.memory[0x00], self.memory[0x02], self.memory[0x04] = 50, 1 << 4, RANGE_ERROR << 4

    def written(self, register: int, value: int) -> None:
        """Forced mode measures at once."""
        if register == 0x74 and value & 3 == 1:
            self.measure()

    def measure(self) -> None:
        """Fill the data registers; the gas only where it was asked for and the plate gets hot."""
        t = bisect(self.celsius * 5120, fine, 0xFFFFF)
        t_fine = fine(t)
        p = bisect(self.hectopascal * 100, lambda adc: pascal(adc, t_fine), 0xFFFFF)
        h = bisect(self.humidity, lambda adc: percent(adc, t_fine), 0xFFFF)
        self.memory[0x1D] = 0x80
        self.memory[0x1F:0x27] = (p << 4).to_bytes(3, "big") + (t << 4).to_bytes(3, "big") + h.to_bytes(2, "big")
        scale = next(n for n in range(16) if n == 15 or ohm(1023, n) < self.resistance)
        gas = bisect(self.resistance, lambda adc: ohm(adc, scale), 1023)
        heated = self.memory[0x64] and self.memory[0x5A] and not self.memory[0x70] & 8
        flags = (0x20 if self.memory[0x71] & 0x10 else 0) | (0x10 if heated else 0)
        self.memory[0x2A:0x2C] = bytes((gas >> 2, (gas & 3) << 6 | flags | scale))
