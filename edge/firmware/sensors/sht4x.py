"""Sensirion SHT40/41/45 temperature and humidity on I2C."""

from ..buses.sensirion import percent_of, words

KIND = "air"
PART = "Sensirion SHT40, SHT41, SHT45"
BUS = "i2c"
QUANTITIES = ("temperature", "humidity")
OPTIONS = {"address": 0x44}
WIRING = "3.3 V; SDA, SCL"
PARTS = ("SHT4x breakout",)


def values(answer):
    """Turn the six bytes of a measurement into readings; OSError when a check sum is wrong."""
    t, h = words(answer)
    return [("temperature", percent_of(t, 175, -45), 2), ("humidity", min(max(percent_of(h, 125, -6), 0), 10000), 2)]


class Driver:
    """Options: `bus`, `address` (68 to 70)."""

    def __init__(self, board, options):
        self._board = board
        self._bus = board.i2c(options.get("bus", 0), options)
        self._addr = options.get("address", 0x44)

    async def read(self):
        """Measure once with high precision."""
        self._bus.writeto(self._addr, b"\xfd")
        await self._board.sleep_ms(10)
        return values(self._bus.readfrom(self._addr, 6))
