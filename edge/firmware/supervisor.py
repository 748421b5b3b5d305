"""Supervises the tasks: a crash is logged and the task restarted, a silent task resets the board.

The hardware watchdog is fed here, by the health of the tasks and by nothing else: a week without network
must not restart the board.
"""

import asyncio
import gc

from micropython import const

_CRASHES_MAX = const(5)
_CRASH_SPAN_MS = const(600000)


class Supervisor:
    """`events` notes faults; `watchdog_s` is the time after which the hardware resets a board that hangs;
    `tick()` is called on every round.
    """

    def __init__(self, board, events, watchdog_s, tick):
        self.board = board
        self.events = events
        self.watchdog_s = watchdog_s
        self.tick = tick
        self._beats = {}
        self._crashes = []

    def start(self, name, part, silence_s):
        """Run `part.run()` forever; it must call `part.beat()` at least every `silence_s` seconds."""
        self._beats[name] = [self.board.ticks_ms(), silence_s * 1000]
        part.beat = lambda: self._beat(name)
        return asyncio.create_task(self._keep(name, part))

    def _beat(self, name):
        self._beats[name][0] = self.board.ticks_ms()

    async def _keep(self, name, part):
        while True:
            try:
                await part.run()
            except asyncio.CancelledError:
                raise
            except Exception as err:
                self._note(name, err)
                self._crashed()
            self._beat(name)
            await self.board.sleep_ms(1000)

    def _note(self, name, err):
        gc.collect()
        try:
            self.events.add(name, err)
        except MemoryError:
            self.events.add(name, "out of memory, and too little for a traceback")

    def _crashed(self):
        now = self.board.ticks_ms()
        self._crashes = [at for at in self._crashes if now - at < _CRASH_SPAN_MS] + [now]
        if len(self._crashes) > _CRASHES_MAX:
            self._restart("tasks crash repeatedly")

    def _restart(self, why):
        self.events.add("supervisor", why)
        self.board.sync_files()
        self.board.reset()

    def silent(self):
        """Return the name of a task that has not beaten in time, or None."""
        now = self.board.ticks_ms()
        for name, (seen, limit) in self._beats.items():
            if now - seen > limit:
                return name
        return None

    async def run(self):
        """Feed the watchdog while every task is healthy."""
        dog = self.board.watchdog(self.watchdog_s * 1000)
        while True:
            name = self.silent()
            if name:
                self._restart(name + " has been silent for too long")
            dog.feed()
            self.tick()
            await self.board.sleep_ms(min(self.board.tick_ms, self.watchdog_s * 250))
