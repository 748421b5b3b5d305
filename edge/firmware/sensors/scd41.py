"""Sensirion SCD41 carbon dioxide, temperature and humidity on I2C, measuring every 5 s by itself.

Nothing is ever stored in the sensor: its memory is good for 2000 writes only.
"""

from ..buses.sensirion import percent_of, words

KIND = "air"
PART = "Sensirion SCD40, SCD41"
BUS = "i2c"
QUANTITIES = ("co2", "temperature", "humidity")
OPTIONS = {"address": 0x62, "sample_s": 10}
WIRING = "3.3 V, peaks of 200 mA; SDA, SCL"
PARTS = ("SCD41 breakout", "100 uF at its supply")

START, READY, READ, STOP = b"\x21\xb1", b"\xe4\xb8", b"\xec\x05", b"\x3f\x86"


def values(answer):
    """Turn the nine bytes of a measurement into readings; OSError when a check sum is wrong."""
    co2, t, h = words(answer)
    out = [("co2", co2, 0)] if co2 else []  # 0 is what it reports before the first measurement
    return out + [("temperature", percent_of(t, 175, -45), 2), ("humidity", percent_of(h, 100, 0), 2)]


class Driver:
    """Options: `bus`, `address`, `sample_s`."""

    SAMPLE_S = 10

    def __init__(self, board, options):
        self._board = board
        self._bus = board.i2c(options.get("bus", 0), options)
        self._addr = options.get("address", 0x62)
        self._running = False

    async def _word(self, command, count):
        self._bus.writeto(self._addr, command)
        await self._board.sleep_ms(2)
        return self._bus.readfrom(self._addr, count)

    async def _start(self):
        self._bus.writeto(self._addr, STOP)  # it may still run from before a reset, and then refuses to start
        await self._board.sleep_ms(500)
        self._bus.writeto(self._addr, START)
        self._running = True

    async def read(self):
        """Return the newest measurement, or nothing when there is none since the last."""
        try:
            if not self._running:
                await self._start()
                await self._board.sleep_ms(5100)
            if not words(await self._word(READY, 3))[0] & 0x7FF:
                return []
            return values(await self._word(READ, 9))
        except OSError:
            self._running = False
            raise
