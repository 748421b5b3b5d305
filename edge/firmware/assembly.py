"""Puts the parts of a node together. Needed once at a start, and then out of memory again."""

import json

from . import files, lazy, record
from .clerk import Clerk
from .clock import Clock
from .crashlog import CrashLog
from .health import Health
from .journal import Journal
from .mqtt import Client
from .ring import Ring
from .sampler import Sampler
from .slots import Slots
from .uplink import Uplink

CHARGERS = ("openevse", "modbus_evse", "j1772")


def _next_boot(ring, path):
    """Return a boot number that was never used: one more than the file and the newest record on flash say."""
    last = files.load(path) or 0
    newest = ring.read(ring.next - 1)
    if newest:
        last = max(last, record.identity(newest)[0])
    files.save(path, last + 1)
    return last + 1


def _collect(crashlog, path):
    """Take over what the loader noted when the firmware could not start."""
    try:
        with open(path) as f:
            crashlog.add("loader", f.read())
        files.remove(path)
    except OSError:
        pass


class Assembly:
    """All parts of a node, as attributes of the same name."""

    def __init__(self, node):
        self.board = node.board
        cause = self.board.reset_cause()  # before the clock writes to the memory that tells
        config = lazy.borrow("config").Config(self.board.root)
        self.conf = config.choose()
        self.board.wifi = self.conf["wifi"]
        self._keep_records()
        self._sample(cause)
        self._connect(node)
        self.clerk = Clerk(node, bool(config.trial), Slots(self.board.root).on_trial)

    def _keep_records(self):
        board = self.board
        self.ring = Ring(board.flash())
        self.boot = _next_boot(self.ring, board.root + "/boots")
        self.clock = Clock(board, self.boot)
        self.crashlog = CrashLog(board.root + "/crashes", self.boot, self.clock.uptime)
        _collect(self.crashlog, board.root + "/crash.txt")
        self.journal = Journal(self.ring, self.clock, self.boot)

    def _sample(self, cause):
        conf, board, sessions = self.conf, self.board, None
        if any(sensor["driver"] in CHARGERS for sensor in conf["sensors"]):
            sessions = lazy.borrow("evse").Sessions(self.journal, board.root + "/session")
        health = Health(board, self.journal, conf["health_s"], cause)
        self.sampler = Sampler(board, self.journal, conf, health, self.crashlog.add, sessions)

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
        )
        patience = conf["ntp_wait_s"] * 1000 if conf["ntp"] else 0
        self.uplink = Uplink(self.board, self.ring, self.clock, self.client, prefix + "data", conf["batch"], patience)
        self.journal.stored = self.uplink.wake
