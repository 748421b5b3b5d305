"""Puts the parts of a node together and runs them."""

import gc
import json

from . import VERSION, lazy
from .clerk import Clerk
from .clock import Clock
from .crashlog import CrashLog
from .health import Health
from .journal import Journal, next_boot
from .mqtt import Client
from .ring import Ring
from .sampler import Sampler
from .supervisor import Supervisor
from .uplink import Uplink

CHARGERS = ("openevse", "modbus_evse")


class Node:
    """A whole node on a board, ready to run."""

    def __init__(self, board):
        self.board = board
        self.cause = board.reset_cause()  # before the clock writes to the memory that tells
        self.restart = False
        trial = self._configure()
        self._keep_records()
        self._sample()
        self._connect()
        self.clerk = Clerk(self, *trial)

    def _configure(self):
        config = lazy.borrow("config").Config(self.board.root)
        self.conf = config.choose()
        self.board.wifi = self.conf["wifi"]
        lazy.give_back("config", "settings")
        return bool(config.trial), config.given_up

    def _keep_records(self):
        board = self.board
        self.ring = Ring(board.flash())
        self.boot = next_boot(self.ring, board.root + "/boots")
        self.clock = Clock(board, self.boot)
        self.crashlog = CrashLog(board.root + "/crashes", self.boot, self.clock.uptime)
        self.crashlog.collect(board.root + "/crash.txt")
        self.journal = Journal(self.ring, self.clock, self.boot)

    def _sample(self):
        conf, board, sessions = self.conf, self.board, None
        if any(sensor["driver"] in CHARGERS for sensor in conf["sensors"]):
            sessions = lazy.borrow("evse").Sessions(self.journal, board.root + "/session")
        health = Health(board, self.journal, conf["health_s"], self.cause)
        self.sampler = Sampler(board, self.journal, conf, health, self.crashlog.add, sessions)

    def _connect(self):
        conf, prefix = self.conf, "cv/1/%s/%s/" % (self.conf["city"], self.conf["device"])
        self.prefix = prefix
        offline = json.dumps({"state": "offline", "boot": self.boot})
        self.client = Client(
            self.board,
            "cv-%s-%s" % (conf["city"], conf["device"]),
            conf["mqtt"],
            (prefix + "status", offline),
            (prefix + "status", self._birth),
            [prefix + "cmd", prefix + "config", prefix + "ota/offer"],
            self._received,
        )
        self.uplink = Uplink(self.board, self.ring, self.clock, self.client, prefix + "data", conf["batch"])
        self.journal.stored = self.uplink.wake

    def _birth(self):
        return json.dumps({"state": "online", "boot": self.boot, "fw": VERSION}).encode()

    def healthy(self):
        """The self-test: drivers loaded, a record stored in this boot, records taken over by the broker."""
        loaded = len(self.sampler.drivers) == len(self.conf["sensors"])
        return loaded and self.journal.seq > 0 and self.uplink.delivered > 0

    def _received(self, topic, payload, _retained):
        """Hand every message from the broker to the clerk; it is acknowledged when this returns."""
        end = topic[len(self.prefix) :]
        if not self.clerk.take(end, payload):
            self.crashlog.add("clerk", "no room for a message on " + end)

    async def run(self):
        """Start every task and stay."""
        gc.collect()
        if hasattr(gc, "threshold"):
            gc.threshold(4096)  # collect often: what lives long then stays together, and large pieces stay free
        supervisor = Supervisor(self.board, self.crashlog, self.conf["watchdog_s"], self.uplink.wake)
        start = supervisor.start
        start("sampler", self.sampler, 900)
        start("uplink", self.uplink, 900)
        start("mqtt", self.client, 900)
        start("clerk", self.clerk, 900)
        await supervisor.run()
