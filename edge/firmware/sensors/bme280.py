"""Bosch BME280 temperature, humidity and pressure on I2C, in forced mode, with the data sheet's integer arithmetic."""

import struct

from micropython import const

KIND = "air"
PART = "Bosch BME280"
BUS = "i2c"
FIRST = True
QUANTITIES = ("temperature", "humidity", "pressure")
OPTIONS = {"address": 0x76}
WIRING = "3.3 V; SDA, SCL; SDO to ground for 0x76, to 3.3 V for 0x77"
PARTS = ("BME280 breakout for 3.3 V",)

_CHIP_ID = const(0x60)
# The reset values of the data registers: what a channel holds that was not measured.
_SKIPPED_20 = const(0x80000)
_SKIPPED_16 = const(0x8000)


class Calibration:
    """The trimming values of one chip, and the arithmetic that needs them."""

    def __init__(self, low, high):
        """`low`: registers 0x88..0xA1, `high`: registers 0xE1..0xE7."""
        self.t = struct.unpack_from(b"<Hhh", low, 0)
        self.p = struct.unpack_from(b"<Hhhhhhhhh", low, 6)
        h2, h3, e4, e5, e6, h6 = struct.unpack(b"<hBbBbb", high)
        self.h = (low[25], h2, h3, e4 * 16 + (e5 & 15), e6 * 16 + (e5 >> 4), h6)

    def fine(self, adc):
        """Return t_fine, the temperature in the form that the other channels are corrected with."""
        t1, t2, t3 = self.t
        coarse = ((adc >> 3) - (t1 << 1)) * t2 >> 11
        delta = (adc >> 4) - t1
        return coarse + ((delta * delta >> 12) * t3 >> 14)

    def temperature(self, fine):
        """Hundredths of a degree Celsius."""
        return fine * 5 + 128 >> 8

    def pressure(self, adc, fine):
        """1/256 Pa, or None when the trimming values are nonsense."""
        p1, p2, p3, p4, p5, p6, p7, p8, p9 = self.p
        x = fine - 128000
        offset = x * x * p6 + (x * p5 << 17) + (p4 << 35)
        slope = (x * x * p3 >> 8) + (x * p2 << 12)
        slope = ((1 << 47) + slope) * p1 >> 33
        if not slope:
            return None
        p = ((1048576 - adc << 31) - offset) * 3125 // slope
        square = p9 * (p >> 13) * (p >> 13) >> 25
        return (p + square + (p8 * p >> 19) >> 8) + (p7 << 4)

    def humidity(self, adc, fine):
        """1/1024 %RH, held between 0 and 100 %."""
        h1, h2, h3, h4, h5, h6 = self.h
        x = fine - 76800
        raw = (adc << 14) - (h4 << 20) - h5 * x + 16384 >> 15
        gain = ((x * h6 >> 10) * ((x * h3 >> 11) + 32768) >> 10) + 2097152
        y = raw * (gain * h2 + 8192 >> 14)
        y -= ((y >> 15) * (y >> 15) >> 7) * h1 >> 4
        return min(max(y, 0), 419430400) >> 12


def values(calibration, data):
    """Turn the eight data registers 0xF7..0xFE into readings; a channel that was not measured is left out."""
    press = data[0] << 12 | data[1] << 4 | data[2] >> 4
    temp = data[3] << 12 | data[4] << 4 | data[5] >> 4
    hum = data[6] << 8 | data[7]
    if temp == _SKIPPED_20:
        return []
    fine = calibration.fine(temp)
    out = [("temperature", calibration.temperature(fine), 2)]
    pascal256 = None if press == _SKIPPED_20 else calibration.pressure(press, fine)
    if pascal256 is not None:
        out.append(("pressure", pascal256 + 128 >> 8, 2))
    if hum != _SKIPPED_16:
        out.append(("humidity", calibration.humidity(hum, fine) * 100 + 512 >> 10, 2))
    return out


class Driver:
    """Options: `bus`, `address` (118 or 119)."""

    def __init__(self, board, options):
        self._board = board
        self._bus = board.i2c(options.get("bus", 0), options)
        self._addr = options.get("address", 0x76)
        self._calibration = None

    def _setup(self):
        chip = self._bus.readfrom_mem(self._addr, 0xD0, 1)[0]
        if chip != _CHIP_ID:
            raise OSError(19, "not a BME280: chip id 0x%02x" % chip)
        low = self._bus.readfrom_mem(self._addr, 0x88, 26)
        self._calibration = Calibration(low, self._bus.readfrom_mem(self._addr, 0xE1, 7))

    async def read(self):
        """Measure once, all channels without oversampling."""
        try:
            if self._calibration is None:
                self._setup()
            self._bus.writeto_mem(self._addr, 0xF2, b"\x01")
            self._bus.writeto_mem(self._addr, 0xF4, b"\x25")
            for _ in range(20):
                await self._board.sleep_ms(10)
                if not self._bus.readfrom_mem(self._addr, 0xF3, 1)[0] & 8:
                    return values(self._calibration, self._bus.readfrom_mem(self._addr, 0xF7, 8))
        except OSError:
            self._calibration = None  # another chip may be there when it comes back
            raise
        raise OSError(110, "the measurement does not end")
