"""Puts the parts of a node together and runs them."""

import json

from . import VERSION
from .clock import Clock
from .commands import Commands
from .config import Config
from .crashlog import CrashLog
from .evse import Sessions
from .health import Health
from .journal import Journal, next_boot
from .mqtt import Client
from .ota import Ota
from .remoteconfig import RemoteConfig
from .reporter import Reporter
from .ring import Ring
from .sampler import Sampler
from .slots import Slots
from .sntp import Timekeeper
from .supervisor import Supervisor
from .uplink import Uplink


class Node:
    """A whole node on a board, ready to run."""

    def __init__(self, board):
        self.board = board
        self.cause = board.reset_cause()  # before the clock writes to the memory that tells
        self._keep_records()
        self._connect()
        self._obey()

    def _keep_records(self):
        board = self.board
        self.config = Config(board.root)
        self.conf = self.config.conf
        board.wifi = self.conf["wifi"]
        self.ring = Ring(board.flash())
        self.boot = next_boot(self.ring, board.root + "/boots")
        self.clock = Clock(board, self.boot)
        self.crashlog = CrashLog(board.root + "/crashes", self.boot, self.clock.uptime)
        self.crashlog.collect(board.root + "/crash.txt")
        self.journal = Journal(self.ring, self.clock, self.boot)
        self.sessions = Sessions(self.journal, board.root + "/session")
        self.sampler = Sampler(board, self.journal, self.conf, self.crashlog.add, self.sessions)

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

    def _obey(self):
        board, client, prefix = self.board, self.client, self.prefix
        self.commands = Commands(board, client, prefix + "cmd/answer", self.ring, self.uplink, self.crashlog)
        self.remote = RemoteConfig(board, client, prefix + "config/report", self.config)
        self.slots = Slots(board.root)
        self.ota = Ota(board, client, prefix, self.slots, self.conf["ota_key"], self._healthy)
        self.reporter = Reporter(board, client, prefix + "log", self.crashlog)

    def _birth(self):
        return json.dumps({"state": "online", "boot": self.boot, "fw": VERSION}).encode()

    def _healthy(self):
        """The self-test: drivers loaded, a record stored in this boot, records taken over by the broker."""
        loaded = len(self.sampler.drivers) == len(self.conf["sensors"])
        return loaded and self.journal.seq > 0 and self.uplink.delivered > 0

    def _received(self, topic, payload, retained):
        """Hand every message from the broker to the task it is for; it is acknowledged when this returns."""
        end = topic[len(self.prefix) :]
        if end == "cmd":
            taken = self.commands.inbox.put(payload)
        elif end == "config":
            taken = self.remote.inbox.put(payload)
        elif end == "ota/offer":
            taken = self.ota.offers.put(payload)
        else:
            taken = self.ota.chunks.put((topic, payload))
        if not taken:
            self.crashlog.add("inbox", "no room for a message on " + end)

    async def run(self):
        """Start every task and stay."""
        supervisor = Supervisor(self.board, self.crashlog, self.conf["watchdog_s"])
        health = Health(self.board, self.journal, self.conf["health_s"], self.cause)
        start = supervisor.start
        start("sampler", self.sampler, 120)
        start("health", health, 120)
        start("uplink", self.uplink, 900)
        start("mqtt", self.client, 900)
        start("clock", Timekeeper(self.board, self.clock, self.conf["ntp"]), 120)
        start("commands", self.commands, 900)
        start("config", self.remote, 900)
        start("ota", self.ota, 900)
        start("reporter", self.reporter, 900)
        await supervisor.run()
