"""Sensirion SPS30 particle sensor on I2C: ten big-endian float32 in words with a checksum each."""

from ..buses.modbus import scaled
from ..buses.sensirion import words

KIND = "air"
PART = "Sensirion SPS30 (I2C)"
BUS = "i2c"
QUANTITIES = ("pm1", "pm2_5", "pm4", "pm10")
OPTIONS = {"address": 0x69, "sleep": True, "sample_s": 1}
WIRING = "5 V supply; SEL to ground selects I2C; SDA, SCL with 10 kohm to 3.3 V"
PARTS = ("Sensirion SPS30", "cable with a ZHR-5 plug", "2 x 10 kohm")

START, STOP, READY, READ = b"\x00\x10\x03\x00\xac", b"\x01\x04", b"\x02\x02", b"\x03\x00"


def values(answer):
    """Turn the 60 bytes of a measurement into readings; OSError when a checksum is wrong, NaN is left out."""
    raw = b"".join([bytes((word >> 8, word & 255)) for word in words(answer)])
    found = [(name, scaled(raw[4 * n : 4 * n + 4], 2), 2) for n, name in enumerate(QUANTITIES)]
    return [value for value in found if value[1] is not None]


class Driver:
    """Options: `bus`, `address`, `sleep` false to keep it running, `sample_s`."""

    LEAD_S = 30
    WINDOW_S = 10
    SAMPLE_S = 1

    def __init__(self, board, options):
        self._board = board
        self._bus = board.i2c(options.get("bus", 0), options)
        self._addr = options.get("address", 0x69)
        self._running = False

    async def _ask(self, command, count):
        self._bus.writeto(self._addr, command)
        await self._board.sleep_ms(5)
        return self._bus.readfrom(self._addr, count)

    async def wake(self):
        """Begin to measure: fan and laser on."""
        self._bus.writeto(self._addr, START)
        self._running = True
        await self._board.sleep_ms(20)

    async def sleep(self):
        """Fan and laser off."""
        self._running = False
        self._bus.writeto(self._addr, STOP)

    async def read(self):
        """Return the newest measurement, or nothing when there is none since the last."""
        try:
            if not self._running:
                await self.wake()
                await self._board.sleep_ms(1100)
            if not words(await self._ask(READY, 3))[0] & 1:
                return []
            return values(await self._ask(READ, 60))
        except OSError:
            self._running = False
            raise
