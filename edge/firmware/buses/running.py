"""Sensirion sensors that measure by themselves while they run (SPS30, SEN5x): their own file, because the others would
hold it in memory for nothing.
"""

from .sensirion import words


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
