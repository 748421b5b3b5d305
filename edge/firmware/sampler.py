"""Reads the sensors at a fixed pace; each round is one record, and what did not answer is not in it."""

import asyncio

from micropython import const

from .sensors import driver

_READ_MS = const(15000)


class Sampler:
    """One driver per entry of the configuration, each read in its own task so that a slow one delays nobody."""

    def __init__(self, board, journal, conf, health, report, sessions=None):
        self.board = board
        self.journal = journal
        self.interval_ms = conf["interval_s"] * 1000
        self.drivers = [(s["driver"], self._make(s, report)) for s in conf["sensors"]]
        self.drivers = [(name, dev) for name, dev in self.drivers if dev]
        self.report = report
        self.health = health
        self.sessions = sessions
        self.beat = lambda: None

    def _make(self, options, report):
        try:
            return driver(options["driver"])(self.board, options)
        except Exception as err:
            report("sensor " + options["driver"], err)
            return None

    async def run(self):
        """Sample for ever; a late round is skipped, not made up for."""
        due = self.board.ticks_ms()
        while True:
            self.beat()
            await self._round()
            self.health.tick()
            due += self.interval_ms
            now = self.board.ticks_ms()
            if due < now:
                due += (now - due) // self.interval_ms * self.interval_ms
            while due > now:
                self.beat()
                self.health.tick()
                await self.board.sleep_ms(min(due - now, 10000))
                now = self.board.ticks_ms()

    async def _round(self):
        self._answered = self.journal.clock.tenths()
        results = await asyncio.gather(*[self._read(name, dev) for name, dev in self.drivers])
        seen, values = set(), []
        for value in [value for result in results for value in result]:
            if value[0] not in seen:  # of two sensors for one quantity the first in the file counts
                seen.add(value[0])
                values.append(value)
        # The time of the last answer: most sensors have measured just before, and one that is silent delays nothing.
        self.journal.store(self.sessions.take(values) if self.sessions else values, self._answered)

    async def _read(self, name, dev):
        try:
            values = await self.board.within(dev.read(), _READ_MS)
            self._answered = self.journal.clock.tenths()
            return values
        except (OSError, asyncio.TimeoutError):
            pass  # missing is missing
        except Exception as err:
            self.report("sensor " + name, err)
        return []
