"""One sensor of the configuration: when it is read, and what becomes of its readings in an interval.

A value is `(quantity, mantissa, decimals)`. A mean has `n, min, max` behind it, the latter two with one decimal less. A
value that has a time of its own (a gas meter's, in a telegram) has that there instead, in unix seconds.

A driver may say how it wants to be read: `SAMPLE_S` (so often, for a mean), `WINDOW_S` (only in the last seconds of an
interval), `LEAD_S` with `wake()` and `sleep()` (so long before, for sensors that wear out). One that adds up its
readings itself (levels of sound) returns nothing from `read` and the values of the interval from `interval()`.
"""

import asyncio

from micropython import const

from .eventlog import reason
from .quantities import is_mean

_READ_MS = const(15000)
_CYCLE_MS = const(60000)  # in a shorter interval a sensor is not put to sleep


class Means:
    """Sums the readings of one interval; of counters and states the last one counts."""

    def __init__(self):
        self.sums = {}

    def add(self, values):
        """Take one reading of some quantities."""
        for value in values:
            name, mantissa, decimals = value[:3]
            known = self.sums.get(name)
            if known is None or len(value) > 3 or known[0] != decimals or not is_mean(name[name.rfind("/") + 1 :]):
                self.sums[name] = [decimals, 1, mantissa, mantissa, mantissa, value]
            else:
                known[1] += 1
                known[2] += mantissa
                known[3] = min(known[3], mantissa)
                known[4] = max(known[4], mantissa)

    def take(self):
        """Return the values of the interval and begin the next."""
        out = []
        for name, (decimals, n, total, low, high, last) in self.sums.items():
            # Rounded, with one more decimal.
            out.append(last if n == 1 else (name, (20 * total + n) // (2 * n), decimals + 1, n, low, high))
        self.sums = {}
        return out


class Source:
    """A driver with its options; `events` notes when it stops or starts to answer."""

    def __init__(self, board, options, driver, events, interval_ms):
        self.board = board
        self.channel = options.get("channel", "")
        self.driver = driver
        self.events = events
        self.where = _where(options)
        self.sample_ms = options.get("sample_s", getattr(driver, "SAMPLE_S", 0)) * 1000
        self.window_ms = getattr(driver, "WINDOW_S", 0) * 1000 or interval_ms
        lead_ms = getattr(driver, "LEAD_S", 0) * 1000
        self.lead_ms = lead_ms if interval_ms >= _CYCLE_MS and options.get("sleep", True) else 0
        if not self.lead_ms and lead_ms:
            self.window_ms = interval_ms
        if 2 * self.sample_ms > interval_ms:
            self.sample_ms = 0
        self.last_ms = 0
        self._ready = not self.lead_ms
        self._means = Means()
        self._unknown = set()

    async def read(self):
        """Read once; nothing when the sensor does not answer, which is noted with what came instead."""
        try:
            values = await self.board.within(self.driver.read(), _READ_MS)
        except asyncio.TimeoutError:
            self.events.say(self.where, "no answer")
        except OSError as err:
            self.events.say(self.where, reason(err))
        except Exception as err:
            self.events.add(self.where, err)
        else:
            self.last_ms = self.board.ticks_ms()
            if values:
                self.events.say(self.where, "answers")
            return self._known(values)
        return []

    def _known(self, values):
        """What the table of quantities has; another one costs that value only and is reported once."""
        out = []
        for value in values:
            try:
                is_mean(value[0][value[0].rfind("/") + 1 :])
                if isinstance(value[1], int) and isinstance(value[2], int):
                    out.append(value)
                    if value[0] in ("temperature", "humidity"):
                        self.board.air[value[0]] = value[1] * 100 // 10 ** value[2]
                    continue
                why = "%s is left out: %r is not a scaled integer" % (value[0], value[1:])
            except KeyError:
                why = "unknown quantity %s is left out" % value[0]
            if value[0] not in self._unknown:
                self._unknown.add(value[0])
                self.events.add(self.where, why)
        return out

    async def take(self):
        """The values of the interval that ends now, with the channel in front of their names."""
        if not self._ready:
            return []  # the first seconds of a sensor that must warm up are not true
        if not self._means.sums:
            self._means.add(await self.read())
        values = self._known(self.driver.interval()) if hasattr(self.driver, "interval") else self._means.take()
        return [(self.channel + "/" + value[0],) + tuple(value[1:]) for value in values] if self.channel else values

    @property
    def works_between(self):
        """Whether there is something to do between two rounds."""
        return bool(self.sample_ms or self.lead_ms)

    async def run(self, until_ms):
        """Prepare the round at a tick: put the sensor to sleep, wake it in time, read it for the mean."""
        if self.lead_ms:
            await self._quietly(self.driver.sleep())
            await self._wait(until_ms - self.lead_ms)
            await self._quietly(self.driver.wake())
        await self._wait(until_ms - self.window_ms)
        self._ready = True
        while self.sample_ms and self.board.ticks_ms() + self.sample_ms < until_ms:
            due = self.board.ticks_ms() + self.sample_ms
            self._means.add(await self.read())
            await self._wait(due)

    async def _wait(self, until_ms):
        ms = until_ms - self.board.ticks_ms()
        if ms > 0:
            await self.board.sleep_ms(ms)

    async def _quietly(self, job):
        try:
            await self.board.within(job, _READ_MS)
        except (OSError, asyncio.TimeoutError):
            pass  # the next reading says what is wrong


def _where(options):
    """How the log names a sensor: driver, channel, bus and address."""
    out = options["driver"] + (" " + options["channel"] if "channel" in options else "")
    forms = (("port", "UART %d"), ("unit", "unit %d"), ("bus", "I2C %d"), ("address", "0x%02x"), ("pin", "GPIO %d"))
    for key, form in forms:
        if key in options:
            out += " " + form % options[key]
    return out
