"""Reads the sensors at a fixed pace; each round is one record, without the sensors that did not answer."""

import asyncio

from . import lazy
from .source import Source


class Sampler:
    """One source per entry of the configuration, each read in its own task so that a slow one does not delay others."""

    def __init__(self, board, journal, conf, health, events):
        self.board = board
        self.journal = journal
        self.interval_ms = conf["interval_s"] * 1000
        self.events = events
        self.kinds = set()
        sensors = conf.pop("sensors")  # what a driver does not keep of its options is memory for others
        self.wanted = len(sensors)
        self.sources = [source for source in [self._make(options) for options in sensors] if source]
        self.longest_ms = max([source.lead_ms for source in self.sources] or [0])
        self.health = health
        self.sessions = None
        self.beat = lambda: None
        self.rounds = 0
        self._sleeps = conf["sleep"]
        self._jobs = []

    def _make(self, options):
        name = options["driver"]
        try:
            module = lazy.load("sensors." + name)
            self.kinds.add(getattr(module, "KIND", ""))
            return Source(self.board, options, module.Driver(self.board, options), self.events, self.interval_ms)
        except Exception as err:
            self.events.add("sensor " + name, err)
            return None

    async def run(self):
        """Sample forever; a late round is skipped."""
        due = self.board.ticks_ms()
        if self._sleeps:  # this round is the only one: sensors that must warm up do it now
            await asyncio.gather(*[source.run(due + source.lead_ms) for source in self.sources if source.lead_ms])
        while True:
            self.beat()
            began = self.board.ticks_ms()
            await self._round()
            self.rounds += 1
            self.health.tick()
            due += self.interval_ms
            now = self.board.ticks_ms()
            if due < now:
                due += (now - due) // self.interval_ms * self.interval_ms
            # After a round that began late: two readings of one moment are one reading for those who store them.
            start = max(due, began + self.interval_ms // 2)
            self._jobs = [asyncio.create_task(source.run(start)) for source in self.sources if source.works_between]
            while start > now:
                self.beat()
                self.health.tick()
                self.events.tick()
                await self.board.sleep_ms(min(start - now, 10000))
                now = self.board.ticks_ms()
            await self._settle()

    async def _settle(self):
        """Wait for samples that are not finished."""
        jobs, self._jobs = self._jobs, []
        for job in jobs:
            try:
                await job
            except Exception as err:
                self.events.add("sampler", err)

    async def _round(self):
        began = self.board.ticks_ms()
        results = await asyncio.gather(*[source.take() for source in self.sources])
        seen, values, late = set(), [], []
        for value in [value for result in results for value in result]:
            if value[0] not in seen:  # of two sensors for one quantity the first in the file counts
                seen.add(value[0])
                (late if len(value) == 4 else values).append(value)
        channels = {value[0].partition("/")[0] for value in values if "/" in value[0]}
        if channels:
            values.append(("channels", len(channels), 0))  # each of them is a device of its own at the gateway
        # The time of the last answer: most sensors have measured just before, and one that is silent delays nothing.
        up = (max([began] + [source.last_ms for source in self.sources]) + 50) // 100
        self.journal.store(self.sessions.take(values) if self.sessions else values, up)
        for value in late:
            self.journal.store([value[:3]], up, value[3] * 10)
