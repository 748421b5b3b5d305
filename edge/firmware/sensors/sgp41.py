"""Sensirion SGP41 on I2C: the raw signals of its VOC and its NOx layer, once a second.

Raw signals are ticks (proportional to the logarithm of a resistance) and lower for VOC, higher for NOx, where there is
more gas. The indices of 1 to 500 come from an adaptive algorithm with days of memory; a node does not compute them: use
a SEN54 or SEN55, whose own processor does, or compute them where the raw signals are stored.
"""

from ..buses.sensirion import crc8, words

KIND = "air"
PART = "Sensirion SGP41"
BUS = "i2c"
QUANTITIES = ("voc_raw", "nox_raw")
OPTIONS = {"address": 0x59, "sample_s": 1}
WIRING = "3.3 V; SDA, SCL"
PARTS = ("SGP41 breakout",)

CONDITION, MEASURE = b"\x26\x12", b"\x26\x19"
CONDITION_S = 9  # more than ten seconds damage the NOx layer


def ticks(percent100, celsius100):
    """The six bytes of humidity and temperature (hundredths) with which the chip compensates."""
    out = b""
    humidity = min(max(percent100, 0), 10000) * 65535 // 10000
    temperature = min(max(celsius100 + 4500, 0), 17500) * 65535 // 17500
    for word in (humidity, temperature):
        pair = bytes((word >> 8, word & 255))
        out += pair + bytes((crc8(pair),))
    return out


STANDARD = b"\x80\x00\xa2\x66\x66\x93"  # 50 %, 25 degrees


def values(answer):
    """Turn the six bytes of a measurement into readings; OSError when a checksum is wrong."""
    voc, nox = words(answer)
    return [("voc_raw", voc, 0), ("nox_raw", nox, 0)]


class Driver:
    """Options: `bus`, `address`, `sample_s`. Humidity and temperature are taken from the other sensors of the node."""

    SAMPLE_S = 1

    def __init__(self, board, options):
        self._board = board
        self._bus = board.i2c(options.get("bus", 0), options)
        self._addr = options.get("address", 0x59)
        self._conditioned = False

    async def _ask(self, command, count):
        air = self._board.air
        known = "humidity" in air and "temperature" in air
        self._bus.writeto(self._addr, command + (ticks(air["humidity"], air["temperature"]) if known else STANDARD))
        await self._board.sleep_ms(55)
        return self._bus.readfrom(self._addr, count)

    async def read(self):
        """Return both raw signals; the first reading after power-on takes ten seconds of conditioning."""
        try:
            for _ in range(0 if self._conditioned else CONDITION_S):
                words(await self._ask(CONDITION, 3))
                await self._board.sleep_ms(945)
            self._conditioned = True
            return values(await self._ask(MEASURE, 6))
        except OSError:
            self._conditioned = False  # it may have lost power
            raise
