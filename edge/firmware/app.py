"""A whole node: its parts, put together by `assembly.py`, and the tasks that run them."""

import gc
import json

from micropython import const

from . import VERSION, files, lazy
from .supervisor import Supervisor

_AWAKE_MS = const(45000)
_LISTEN_MS = const(5000)


def _unenrolled(board):
    """Whether this board is not enrolled, or not any more: then it is set up over its own access point."""
    if files.read(board.state + "/reset") is not None:
        lazy.load("setup.reset").finish(board)
        lazy.unload("setup.reset")
    if not board.has_radio or files.read(board.root + "/node.json") is not None:
        return False
    return files.read(board.state + "/config.base") is None and board.vault("node.json") is None


class Node:
    """Ready to run on a board."""

    def __init__(self, board):
        self.board = board
        self.restart = False
        self.setup = None
        if _unenrolled(board):
            self.setup = lazy.load("setup.onboarding").Onboarding(board)
            return
        made = lazy.load("assembly").Assembly(self)
        self.conf, self.boot, self.prefix = made.conf, made.boot, made.prefix
        self.ring, self.journal, self.events = made.ring, made.journal, made.events
        self.sampler, self.client, self.uplink, self.maintenance = (
            made.sampler,
            made.client,
            made.uplink,
            made.maintenance,
        )
        lazy.unload("assembly", "remote.config", "remote.settings", "remote.slots")

    def birth(self):
        """What is published on every connection."""
        return json.dumps({"state": "online", "boot": self.boot, "fw": VERSION}).encode()

    def received(self, topic, payload, _retained):
        """Queue every message from the broker; it is acknowledged when this returns."""
        end = topic[len(self.prefix) :]
        if not self.maintenance.queue(end, payload):
            self.events.add("maintenance", "no room for a message on " + end)

    def _tick(self):
        """Once a second: the uplink shows that it is alive, the board keeps its pulse counts and shows its LED."""
        self.uplink.wake()
        self.board.tick(self.client.online)
        if self.conf["sleep"] and self.sampler.rounds:
            self._sleep_when_done()

    def _sleep_when_done(self):
        """A node on a battery sleeps until its next round once all is delivered, or when that takes too long."""
        up = self.board.ticks_ms()
        waiting = self.ring.next - self.ring.cursor
        busy = self.maintenance.messages or self.maintenance.on_trial
        if (waiting or busy or not self.client.online) and up < _AWAKE_MS + self.sampler.longest_ms:
            return
        if up < _LISTEN_MS:
            return  # a command or a configuration that waits at the broker arrives in this time
        self.events.say("node", "sleeps, %d records waiting" % waiting)
        self.events.save()
        self.board.sync_files()
        self.board.deep_sleep(max(1000, self.conf["interval_s"] * 1000 - up))

    async def run(self):
        """Start every task and supervise them. A board that is not enrolled is set up first, and starts again."""
        if self.setup:
            await self.setup.run()
            self.board.reset()
        gc.collect()
        if hasattr(gc, "threshold"):
            gc.threshold(4096)  # collect often: what lives long then stays together, and large pieces stay free
        supervisor = Supervisor(self.board, self.events, self.conf["watchdog_s"], self._tick)
        for name, part in (
            ("sampler", self.sampler),
            ("uplink", self.uplink),
            ("mqtt", self.client),
            ("maintenance", self.maintenance),
        ):
            supervisor.start(name, part, 900)
        await supervisor.run()
