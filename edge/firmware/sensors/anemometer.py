"""Cup anemometer with a reed contact: mean wind of an interval, and its gust: the fastest three seconds (WMO)."""

import asyncio

from micropython import const

KIND = "weather"
PART = "cup anemometer with pulse output (Davis, Misol, Thies compact)"
BUS = "pin"
FIRST = True
QUANTITIES = ("wind_speed", "wind_gust")
OPTIONS = {"millimetre": 667, "filter_ns": 12000}
WIRING = "contact between the pin and ground; 10 kohm and 10 nF against bounces"
PARTS = ("anemometer", "10 kohm", "10 nF")

_GUST_MS = const(3000)


class Wind:
    """Turns counts at times (ms) into a mean and a gust."""

    def __init__(self, millimetre):
        self._millimetre = millimetre
        self._first = self._last = None
        self._gust = 0

    def feed(self, count, at_ms):
        """Note a count."""
        if self._last and at_ms - self._last[1] >= _GUST_MS * 9 // 10:
            self._gust = max(self._gust, self._speed(self._last, (count, at_ms)))
            self._last = (count, at_ms)
        if self._first is None:
            self._first = self._last = (count, at_ms)

    def _speed(self, a, b):
        """Millimetres a second."""
        return (b[0] - a[0]) * self._millimetre * 1000 // (b[1] - a[1])

    def take(self, count, at_ms):
        """The values since the last call; nothing where no time has passed."""
        self.feed(count, at_ms)
        first, gust = self._first or (count, at_ms), self._gust
        if at_ms <= first[1]:
            return []
        mean = self._speed(first, (count, at_ms))
        self._first = self._last = (count, at_ms)
        self._gust = 0
        return [("wind_speed", mean, 3), ("wind_gust", max(gust, mean), 3)]


class Driver:
    """Options: `pin`, `millimetre` of wind for each pulse (667: 2.4 km/h at one a second)."""

    def __init__(self, board, options):
        self._board = board
        self._pulses = board.pulses(options["pin"], options)
        self._wind = Wind(options.get("millimetre", 667))
        self._watch = None

    async def _gusts(self):
        while True:
            self._wind.feed(self._pulses.count(), self._board.ticks_ms())
            await self._board.sleep_ms(_GUST_MS)

    async def read(self):
        """Return mean and gust since the last reading; the first one takes three seconds."""
        if self._watch is None:
            self._watch = asyncio.create_task(self._gusts())
        now = self._board.ticks_ms()
        out = self._wind.take(self._pulses.count(), now)
        if not out:
            await self._board.sleep_ms(_GUST_MS)
            out = self._wind.take(self._pulses.count(), self._board.ticks_ms())
        return out
