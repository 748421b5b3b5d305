"""Bosch BME680 and BME688: temperature, humidity, pressure and the resistance of a heated gas layer, on I2C.

One forced measurement per reading, with the data sheet's integer arithmetic. The resistance is what the chip gives: it
falls with reducing gases, differs from chip to chip and drifts, so it is a trend of one sensor and no concentration.
"""

import struct

from micropython import const

KIND = "air"
PART = "Bosch BME680, BME688"
BUS = "i2c"
QUANTITIES = ("temperature", "humidity", "pressure", "gas_resistance")
OPTIONS = {"address": 0x76, "heater_c": 320, "heater_ms": 150}
WIRING = "3.3 V; SDA, SCL; SDO to ground for 0x76, to 3.3 V for 0x77"
PARTS = ("BME680 breakout for 3.3 V",)

_CHIP_ID = const(0x61)
_SKIPPED_20 = const(0x80000)  # the reset values of the data registers: a channel that was not measured
_SKIPPED_16 = const(0x8000)
# Corrections of the 16 gas ranges of a BME680, in thousandths.
_GAIN = const(b"\x00\x00\x00\x00\x00\xf6\x00\xf8\x00\x00\xfe\xfb\x00\xf6\x00\x00")
_STEP = const(b"\x00\x00\x00\x00\x01\x07\x00\xf8\xff\x00\x00\x00\x00\x00\x00\x00")


def _signed(byte):
    return byte - 256 if byte > 127 else byte


class Calibration:
    """The trimming values of one chip, and the arithmetic that needs them."""

    def __init__(self, low, high, heat):
        """`low`: registers 0x8A..0xA0, `high`: 0xE1..0xF0, `heat`: 0x00..0x04."""
        t2, t3 = struct.unpack_from("<hb", low, 0)
        self.t = (high[8] | high[9] << 8, t2, t3)
        p1, p2, p3, _, p4, p5, p7, p6, _, p8, p9, p10 = struct.unpack_from("<HhbBhhbbHhhB", low, 4)
        self.p = (p1, p2, p3, p4, p5, p6, p7, p8, p9, p10)
        h3, h4, h5, h6, h7 = struct.unpack_from("<bbbBb", high, 3)
        self.h = (high[2] << 4 | high[1] & 15, high[0] << 4 | high[1] >> 4, h3, h4, h5, h6, h7)
        g2, g1, g3 = struct.unpack_from("<hbb", high, 10)
        self.g = (g1, g2, g3, heat[2] >> 4 & 3, _signed(heat[0]))
        self.range_error = _signed(heat[4]) >> 4

    def fine(self, adc):
        """t_fine, the temperature in the form that the other channels are corrected with."""
        t1, t2, t3 = self.t
        delta = (adc >> 3) - (t1 << 1)
        half = delta >> 1
        return (delta * t2 >> 11) + ((half * half >> 12) * (t3 << 4) >> 14)

    def pressure(self, adc, fine):
        """Pa, or None when the trimming values are nonsense."""
        p1, p2, p3, p4, p5, p6, p7, p8, p9, p10 = self.p
        x = (fine >> 1) - 64000
        square = (x >> 2) * (x >> 2)
        offset = (((square >> 11) * p6 >> 2) + (x * p5 << 1) >> 2) + (p4 << 16)
        slope = ((square >> 13) * (p3 << 5) >> 3) + (p2 * x >> 1) >> 18
        slope = (32768 + slope) * p1 >> 15
        if not slope:
            return None
        p = (1048576 - adc - (offset >> 12)) * 6250 // slope
        more = p9 * ((p >> 3) * (p >> 3) >> 13) >> 12
        more += (p >> 2) * p8 >> 13
        more += (p >> 8) * (p >> 8) * (p >> 8) * p10 >> 17
        return p + (more + (p7 << 7) >> 4)

    def humidity(self, adc, fine):
        """Thousandths of a percent, held between 0 and 100 %."""
        h1, h2, h3, h4, h5, h6, h7 = self.h
        t = fine * 5 + 128 >> 8  # hundredths of a degree
        raw = adc - h1 * 16 - (t * h3 // 100 >> 1)
        gain = h2 * (t * h4 // 100 + ((t * (t * h5 // 100) >> 6) // 100) + 16384) >> 10
        y = raw * gain
        bend = (h6 << 7) + t * h7 // 100 >> 4
        y += bend * ((y >> 14) * (y >> 14) >> 10) >> 1
        return min(max((y >> 10) * 1000 >> 12, 0), 100000)

    def heater(self, celsius, ambient):
        """The heater register for a plate temperature, at an ambient temperature (Celsius)."""
        g1, g2, g3, scale, value = self.g
        a = ambient * g3 // 1000 * 256
        b = (g1 + 784) * (((g2 + 154009) * celsius * 5 // 100 + 3276800) // 10)
        x = (a + b // 2) // (scale + 4) // (131 * value + 65536)
        return ((x - 250) * 34 + 50) // 100 & 255

    def gas(self, adc, scale):
        """Ohm, of a BME680: 8 Mohm / 2^range, corrected for the range and for this chip."""
        gain = (1340 + 5 * self.range_error) * (1000 + _signed(_GAIN[scale]))
        below = (1000 + _signed(_STEP[scale])) * ((adc - 512) * 1000 + gain) << scale
        return (8000000 * gain * 1000 + below // 2) // below


def gas_688(adc, scale):
    """Ohm, of a BME688."""
    return 1000000 * (262144 >> scale) // (4096 + 3 * (adc - 512))


def heat_time(ms):
    """The register for a heating time: six bits, and a factor of 1, 4, 16 or 64."""
    factor = 0
    while ms > 63 and factor < 3:
        ms, factor = ms >> 2, factor + 1
    return min(ms, 63) | factor << 6


def values(chip, data, high_gas=False):
    """Turn the 17 bytes from register 0x1D into readings; what was not measured or not heated is left out."""
    press = data[2] << 12 | data[3] << 4 | data[4] >> 4
    temp = data[5] << 12 | data[6] << 4 | data[7] >> 4
    hum = data[8] << 8 | data[9]
    if temp == _SKIPPED_20:
        return []
    fine = chip.fine(temp)
    out = [("temperature", fine * 5 + 128 >> 8, 2)]
    pascal = None if press == _SKIPPED_20 else chip.pressure(press, fine)
    if pascal is not None:
        out.append(("pressure", pascal, 2))
    if hum != _SKIPPED_16:
        out.append(("humidity", (chip.humidity(hum, fine) + 5) // 10, 2))
    at = 15 if high_gas else 13
    if data[at + 1] & 0x30 == 0x30:  # the measurement is valid, the plate was hot
        adc, scale = data[at] << 2 | data[at + 1] >> 6, data[at + 1] & 15
        out.append(("gas_resistance", gas_688(adc, scale) if high_gas else chip.gas(adc, scale), 0))
    return out


class Driver:
    """Options: `bus`, `address`, `heater_c` and `heater_ms` of the gas layer (0 ms: no gas measurement)."""

    def __init__(self, board, options):
        self._board = board
        self._bus = board.i2c(options.get("bus", 0), options)
        self._addr = options.get("address", 0x76)
        self._heat = (options.get("heater_c", 320), options.get("heater_ms", 150))
        self._chip = None
        self._ambient = 20

    def _get(self, register, count):
        return self._bus.readfrom_mem(self._addr, register, count)

    def _put(self, register, value):
        self._bus.writeto_mem(self._addr, register, bytes((value,)))

    def _setup(self):
        found = self._get(0xD0, 1)[0]
        if found != _CHIP_ID:
            raise OSError(19, "not a BME680: chip id 0x%02x" % found)
        high = self._get(0xE1, 16)
        self._high_gas = high[15] == 1  # the variant register, 0xF0
        return Calibration(self._get(0x8A, 23), high, self._get(0x00, 5))

    def _start(self, chip):
        celsius, ms = self._heat
        self._put(0x72, 1)  # humidity, temperature and pressure are measured once
        self._put(0x5A, chip.heater(celsius, self._ambient))
        self._put(0x64, heat_time(ms))
        self._put(0x70, 0 if ms else 8)
        self._put(0x71, (0x20 if self._high_gas else 0x10) if ms else 0)
        self._put(0x74, 0x25)

    async def read(self):
        """Measure once and heat the gas layer."""
        try:
            chip = self._chip = self._chip or self._setup()
            self._start(chip)
            await self._board.sleep_ms(20 + self._heat[1])
            for _ in range(20):
                data = self._get(0x1D, 17)
                if data[0] & 0xA0 == 0x80:  # new data, nothing in progress
                    out = values(chip, data, self._high_gas)
                    self._ambient = out[0][1] // 100 if out else 20
                    return out
                await self._board.sleep_ms(10)
        except OSError:
            self._chip = None  # another chip may be there when it comes back
            raise
        raise OSError(110, "the measurement does not end")
