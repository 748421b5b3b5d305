"""What Sensirion's I2C sensors share: 16-bit words, each with a CRC-8."""


def crc8(data):
    """Polynomial 0x31, start 0xFF."""
    crc = 0xFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ 0x31 if crc & 0x80 else crc << 1) & 0xFF
    return crc


def words(data):
    """Return the words of an answer; OSError when a check sum is wrong."""
    out = []
    for at in range(0, len(data), 3):
        if crc8(data[at : at + 2]) != data[at + 2]:
            raise OSError(74)
        out.append(data[at] << 8 | data[at + 1])
    return out


class Running:
    """A sensor that measures by itself while it runs. A driver names its commands and waits; `values` turns an answer
    into readings.
    """

    LEAD_S = 30
    WINDOW_S = 10
    START = STOP = READ = b""
    STARTED_MS, ANSWER_MS, SIZE = 20, 5, 0

    def __init__(self, board, options, values):
        self._board = board
        self._values = values
        self._bus = board.i2c(options.get("bus", 0), options)
        self._addr = options.get("address", 0x69)
        self._running = False

    async def _ask(self, command, count):
        self._bus.writeto(self._addr, command)
        await self._board.sleep_ms(self.ANSWER_MS)
        return self._bus.readfrom(self._addr, count)

    async def wake(self):
        """Begin to measure: fan and laser on."""
        self._bus.writeto(self._addr, self.START)
        self._running = True
        await self._board.sleep_ms(self.STARTED_MS)

    async def sleep(self):
        """Fan and laser off."""
        self._running = False
        self._bus.writeto(self._addr, self.STOP)

    async def read(self):
        """Return the newest measurement, or nothing when there is none since the last."""
        try:
            if not self._running:
                await self.wake()
                await self._board.sleep_ms(1100)
            if not words(await self._ask(b"\x02\x02", 3))[0] & 1:
                return []
            return self._values(await self._ask(self.READ, self.SIZE))
        except OSError:
            self._running = False
            raise


def percent_of(raw, span, offset):
    """`offset + span * raw / 65535` in hundredths, rounded: the transfer function of these sensors."""
    return (2 * 100 * span * raw + 65535) // 131070 + 100 * offset
