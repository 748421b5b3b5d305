"""Sensirion SCD30 carbon dioxide, temperature and humidity on I2C: three float32, each word with its CRC-8."""

from ..buses.modbus import scaled
from ..buses.sensirion import crc8, words

KIND = "air"
PART = "Sensirion SCD30"
BUS = "i2c"
QUANTITIES = ("co2", "temperature", "humidity")
OPTIONS = {"address": 0x61, "sample_s": 10}
WIRING = "3.3 to 5 V; SDA, SCL (3 V logic); SEL open"
PARTS = ("SCD30 module",)

START, READY, READ = b"\x00\x10\x00\x00\x81", b"\x02\x02", b"\x03\x00"


def interval(seconds):
    """The command that sets the measuring interval."""
    data = bytes((seconds >> 8, seconds & 255))
    return b"\x46\x00" + data + bytes((crc8(data),))


def values(answer):
    """Turn the 18 bytes of a measurement into readings; NaN and a concentration of 0 are left out."""
    found = words(answer)
    out = []
    for name, at, decimals in (("co2", 0, 0), ("temperature", 2, 2), ("humidity", 4, 2)):
        value = scaled((found[at] << 16 | found[at + 1]).to_bytes(4, "big"), decimals)
        if value is not None and (value or name != "co2"):
            out.append((name, value, decimals))
    return out


class Driver:
    """Options: `bus`, `address`, `sample_s`."""

    SAMPLE_S = 10

    def __init__(self, board, options):
        self._board = board
        self._bus = board.i2c(options.get("bus", 0), options)
        self._addr = options.get("address", 0x61)
        self._running = False

    async def _ask(self, command, count):
        self._bus.writeto(self._addr, command)
        await self._board.sleep_ms(4)
        return self._bus.readfrom(self._addr, count)

    async def read(self):
        """Return the newest measurement, or nothing when there is none since the last."""
        try:
            if not self._running:
                self._bus.writeto(self._addr, interval(5))
                await self._board.sleep_ms(4)
                self._bus.writeto(self._addr, START)
                self._running = True
                await self._board.sleep_ms(5500)
            if words(await self._ask(READY, 3))[0] != 1:
                return []
            return values(await self._ask(READ, 18))
        except OSError:
            self._running = False
            raise
