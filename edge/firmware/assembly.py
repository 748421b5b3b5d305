"""Puts the parts of a node together. Needed once at a start, and then out of memory again."""

import json

from . import VERSION, files, lazy
from .clock import Clock
from .eventlog import EventLog
from .health import Health
from .net.mqtt import Client
from .records import record
from .records.journal import Journal
from .records.ring import Ring
from .records.uplink import Uplink
from .remote.maintenance import Maintenance
from .remote.slots import Slots
from .sampler import Sampler


def _next_boot(board, ring):
    """Return a boot number that was never used: above that of the file, of the vault and of the newest record."""
    path = board.state + "/boots"
    last = max(files.load(path) or 0, board.count())
    newest = ring.read(ring.next - 1)
    if newest:
        last = max(last, record.identity(newest)[0])
    files.save(path, last + 1)
    board.count(last + 1)
    return last + 1


class Assembly:
    """All parts of a node, as attributes of the same name."""

    def __init__(self, node):
        self.board = board = node.board
        cause = board.reset_cause()  # before the clock writes to the memory that holds it
        self._keep_records()
        config = lazy.load("remote.config").Config(board)
        self.conf = config.choose()
        for problem in config.problems:
            self.events.add("configuration", problem)
        self._start_clock()
        board.begin(self.conf, self.events.say)
        self._sample(cause)
        self._connect(node)
        self.maintenance = Maintenance(node, bool(config.trial), Slots(board.state).on_trial)
        self.events.say("node", "%s, firmware %s, boot %d, reset cause %d" % (self.prefix, VERSION, self.boot, cause))

    def _keep_records(self):
        board = self.board
        self.ring = Ring(board.flash())
        self.boot = _next_boot(board, self.ring)
        self.events = EventLog(board, self.boot)
        note = files.read(board.state + "/crash.txt")  # what the loader noted when the firmware could not start
        if note:
            self.events.add("loader", note.decode())
            files.remove(board.state + "/crash.txt")

    def _start_clock(self):
        board = self.board
        board.certificate = self.conf["mqtt"]["tls"].get("cert", "")
        self.clock = Clock(board, self.boot, self.events.say)
        self.journal = Journal(self.ring, self.clock, self.boot)

    def _sample(self, cause):
        health = Health(self.board, self.journal, self.conf["health_s"], cause)
        self.sampler = Sampler(self.board, self.journal, self.conf, health, self.events)
        if "charger" in self.sampler.kinds:
            self.sampler.sessions = lazy.load("evse").Sessions(self.journal, self.board.state + "/session")

    def _connect(self, node):
        conf, name = self.conf, (self.conf["city"], self.conf["device"])
        self.prefix = prefix = "cv/1/%s/%s/" % name
        offline = json.dumps({"state": "offline", "boot": self.boot})
        self.client = Client(
            self.board,
            "cv-%s-%s" % name,
            conf["mqtt"],
            (prefix + "status", offline),
            (prefix + "status", node.birth),
            [prefix + "cmd", prefix + "config", prefix + "ota/offer"],
            node.received,
            self.events.say,
        )
        wait_ms = conf["ntp_wait_s"] * 1000 if conf["ntp"] else 0
        self.uplink = Uplink(self.board, self.ring, self.clock, self.client, prefix + "data", conf["batch"], wait_ms)
        self.journal.stored = self.uplink.wake
