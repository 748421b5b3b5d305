"""Puts the parts of a node together and runs them."""

import json

from . import VERSION, settings
from .clock import Clock
from .crashlog import CrashLog
from .health import Health
from .journal import Journal, next_boot
from .mqtt import Client
from .ring import Ring
from .sampler import Sampler
from .sntp import Timekeeper
from .supervisor import Supervisor
from .uplink import Uplink


class Node:
    """A whole node on a board, ready to run."""

    def __init__(self, board):
        self.board = board
        self.conf = conf = settings.load(board.root + "/node.json")
        self.prefix = "cv/1/%s/%s/" % (conf["city"], conf["device"])
        self.ring = Ring(board.flash())
        self.cause = board.reset_cause()  # before the clock writes to the memory that tells
        self.boot = next_boot(self.ring, board.root + "/boots")
        self.clock = Clock(board, self.boot)
        self.crashlog = CrashLog(board.root + "/crashes", self.boot, self.clock.uptime)
        self.journal = Journal(self.ring, self.clock, self.boot)
        self.client = self._client()
        self.uplink = Uplink(board, self.ring, self.clock, self.client, self.prefix + "data", conf["batch"])
        self.journal.stored = self.uplink.wake
        self.supervisor = Supervisor(board, self.crashlog, conf["watchdog_s"])

    def _client(self):
        offline = json.dumps({"state": "offline", "boot": self.boot})
        return Client(
            self.board,
            "cv-%s-%s" % (self.conf["city"], self.conf["device"]),
            self.conf["mqtt"],
            (self.prefix + "status", offline),
            (self.prefix + "status", self._birth),
            [self.prefix + "cmd", self.prefix + "config", self.prefix + "ota/offer"],
            self._received,
        )

    def _birth(self):
        return json.dumps({"state": "online", "boot": self.boot, "fw": VERSION}).encode()

    def _received(self, topic, payload, retained):
        """Every message from the broker; it is acknowledged when this returns."""

    async def run(self):
        """Start every task and stay."""
        conf, start = self.conf, self.supervisor.start
        health = Health(self.board, self.journal, conf["health_s"])
        health.cause = self.cause
        start("sampler", Sampler(self.board, self.journal, conf, self.crashlog.add), 120)
        start("health", health, 120)
        start("uplink", self.uplink, 900)
        start("mqtt", self.client, 900)
        start("clock", Timekeeper(self.board, self.clock, conf["ntp"]), 120)
        await self.supervisor.run()
