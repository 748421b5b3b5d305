"""A Bosch BME280: give it a temperature, humidity and pressure, it answers with raw ADC values.

The raw values are found by bisection on the data sheet's floating-point formulas, so that the firmware's integer
arithmetic is checked against another derivation.
"""

import struct
from collections.abc import Callable

from simulators.hardware.i2c import Registers

T = (27504, 26435, -1000)
P = (36477, -10685, 3024, 2855, 140, -7, 15500, -14600, 6000)
H = (75, 370, 0, 313, 50, 30)


def bisect(wanted: float, value: Callable[[int], float], top: int) -> int:
    """The raw value up to `top` whose `value` is nearest above `wanted`; `value` only rises or only falls."""
    rising = value(top) > value(0)
    low, high = 0, top
    while low < high:
        mid = (low + high) // 2
        if (value(mid) < wanted) == rising:
            low = mid + 1
        else:
            high = mid
    return low


def fine(adc: int) -> float:
    """The data sheet's t_fine."""
    a = (adc / 16384.0 - T[0] / 1024.0) * T[1]
    return a + (adc / 131072.0 - T[0] / 8192.0) ** 2 * T[2]


def pascal(adc: int, t_fine: float) -> float:
    """The pressure that a raw value stands for."""
    v1 = t_fine / 2.0 - 64000.0
    v2 = v1 * v1 * P[5] / 32768.0 + v1 * P[4] * 2.0
    v2 = v2 / 4.0 + P[3] * 65536.0
    v1 = (1.0 + (P[2] * v1 * v1 / 524288.0 + P[1] * v1) / 524288.0 / 32768.0) * P[0]
    p = (1048576.0 - adc - v2 / 4096.0) * 6250.0 / v1
    return p + (P[8] * p * p / 2147483648.0 + p * P[7] / 32768.0 + P[6]) / 16.0


def percent(adc: int, t_fine: float) -> float:
    """The relative humidity that a raw value stands for."""
    h = t_fine - 76800.0
    h = (adc - (H[3] * 64.0 + H[4] / 16384.0 * h)) * (
        H[1] / 65536.0 * (1.0 + H[5] / 67108864.0 * h * (1.0 + H[2] / 67108864.0 * h))
    )
    return h * (1.0 - H[0] * h / 524288.0)


class Bme280(Registers):
    """Measures `celsius`, `humidity` and `hectopascal` each time it is started in forced mode."""

    def __init__(self, celsius: float = 21.5, humidity: float = 45.0, hectopascal: float = 1013.25) -> None:
        super().__init__()
        self.celsius, self.humidity, self.hectopascal = celsius, humidity, hectopascal
        self.memory[0xD0] = 0x60
        self.memory[0x88:0xA0] = struct.pack("<Hhh", *T) + struct.pack("<Hhhhhhhhh", *P)
        self.memory[0xA1] = H[0]
        self.memory[0xE1:0xE8] = struct.pack(
            "<hBbBbb", H[1], H[2], H[3] >> 4, (H[3] & 15) | ((H[4] & 15) << 4), H[4] >> 4, H[5]
        )

    def written(self, register: int, value: int) -> None:
        """Forced mode measures at once."""
        if register == 0xF4 and value & 3 in (1, 2):
            self.measure()

    def measure(self) -> None:
        """Fill the data registers."""
        t = bisect(self.celsius * 5120.0, fine, 0xFFFFF)
        t_fine = fine(t)
        p = bisect(self.hectopascal * 100.0, lambda adc: pascal(adc, t_fine), 0xFFFFF)
        h = bisect(self.humidity, lambda adc: percent(adc, t_fine), 0xFFFF)
        self.memory[0xF7:0xFF] = (p << 4).to_bytes(3, "big") + (t << 4).to_bytes(3, "big") + h.to_bytes(2, "big")
