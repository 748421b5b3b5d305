"""Tells what went wrong: every entry of the fault log is published once, with QoS 1, on `log`."""

import asyncio
import json


class Reporter:
    """Publishes new entries as they come and forgets them when the broker has them."""

    def __init__(self, board, client, topic, crashlog):
        self.board = board
        self.client = client
        self.topic = topic
        self.crashlog = crashlog
        self.beat = lambda: None
        self._new = asyncio.Event()
        self._told = asyncio.Event()
        crashlog.changed = self._new.set

    async def run(self):
        """Report for ever."""
        while True:
            entries = self.crashlog.entries
            if not entries:
                await self._wait(self._new)
                continue
            boot, up, who, what = entries[0]
            text = json.dumps({"boot": boot, "up": up, "task": who, "error": what}).encode()
            self._told.clear()
            await self.client.publish(self.topic, lambda t=text: t, self._told.set, False, self.beat)
            while not self._told.is_set():
                await self._wait(self._told)
            self.crashlog.told(entries[0])

    async def _wait(self, event):
        self._new.clear()
        self.beat()
        try:
            await self.board.within(event.wait(), 10000)
        except asyncio.TimeoutError:
            pass
