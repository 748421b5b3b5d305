"""Which configuration a node runs: the technician's `node.json` with what was sent from afar laid over it.

Something new runs on trial first. It is kept once the broker has acknowledged a message under it, and given up when
that does not happen in 5 minutes or in three starts. What was given up is not tried again by itself. Every file has a
predecessor to fall back to, and what the technician enrolled a copy in the vault (NVS), outside of the file system.
"""

import hashlib
import json
from binascii import hexlify

from micropython import const

from .. import files
from . import settings

_TRIES = const(3)
FIXED = ("city", "device", "ota_key")  # identity is given by hand
_REFUSED_MAX = const(8)


def fingerprint(payload):
    """Short name of a desired configuration."""
    return hexlify(hashlib.sha256(payload).digest()[:6]).decode()


def merged(base, overlay):
    """Lay one configuration over another, one table deep; ValueError when it touches the node's identity."""
    out = dict(base)
    for key, value in overlay.items():
        if key in FIXED:
            raise ValueError("%s: cannot be set from afar" % key)
        both_tables = isinstance(value, dict) and isinstance(out.get(key), dict)
        out[key] = merged(out[key], value) if both_tables else value
    return out


class Config:
    """The files in a node's folder, and the choice between them at a start."""

    def __init__(self, board):
        self.board = board
        self.problems = []
        self.base = self._base()
        self.refused = self._load("refused") or []
        self.trial = self._load("trial") or {}
        self.now = self._load("now") or self._load("before") or {"hash": "", "overlay": {}}
        self.given_up = self._load("given_up")

    def _load(self, name):
        return files.load(self.board.state + "/config." + name)

    def _save(self, name, value):
        if not files.save(self.board.state + "/config." + name, value):
            raise ValueError("no room on the file system")

    def _remove(self, name):
        files.remove(self.board.state + "/config." + name)

    def _base(self):
        """`node.json`, or the copy of the last one that was good; ValueError where there is none."""
        found = []
        copies = (("node.json", self._given), ("its copy", lambda: self._load("base")), ("the vault", self._kept))
        for where, read in copies:
            try:
                base = read()
                settings.checked(base)
            except (OSError, ValueError) as err:
                self.problems.append("%s: %s" % (where, err.args[-1] if err.args else "damaged"))
                continue
            found.append(base)
            break
        if not found:
            raise ValueError(self.problems[0])
        if not self.problems:
            self._preserve(found[0])
        return found[0]

    def _given(self):
        data = files.read(self.board.root + "/node.json")
        if data is None:
            raise OSError(2, "missing")
        return json.loads(data)

    def _kept(self):
        data = self.board.vault("node.json")
        if data is None:
            raise OSError(2, "empty")
        return json.loads(data)

    def _preserve(self, base):
        """Copy what was enrolled to where a full or damaged file system does not reach it."""
        board = self.board
        if base != self._load("base"):
            files.save(board.state + "/config.base", base)
        tls = base["mqtt"].get("tls", {})
        for name in ["node.json"] + [tls[key] for key in ("ca", "cert", "key") if key in tls]:
            data = files.read(board.root + "/" + name)
            if data and data != board.vault(name):
                board.vault(name, data)

    def choose(self):
        """Return the configuration to run; counts the starts of a trial."""
        if self.trial:
            self.trial["tries"] += 1
            try:
                if self.trial["tries"] > _TRIES:
                    self.give_up("did not come up in %d starts" % _TRIES)
                else:
                    self._save("trial", self.trial)
            except ValueError as err:
                self.problems.append(str(err))
                self.trial = {}  # what cannot be counted is not tried
        for layer in (self.trial, self.now):
            try:
                if layer:
                    return settings.checked(merged(self.base, layer["overlay"]))
            except (ValueError, KeyError):
                pass
        return settings.checked(self.base)

    def take(self, payload):
        """Consider a desired configuration; return (state, its name, reason)."""
        if payload is None:
            return "refused", "", "longer than this node can take"
        name = fingerprint(payload)
        try:
            return ("trial" if self.propose(payload) else "applied"), name, ""
        except (ValueError, UnicodeError) as err:
            return "refused", name, str(err) or "not JSON"

    def propose(self, payload):
        """Check a desired configuration; True when it was put on trial, to run from the next start on."""
        name = fingerprint(payload)
        if name == self.now["hash"] or (self.trial and name == self.trial["hash"]):
            return False
        if name in self.refused:
            raise ValueError("was tried before and given up")
        overlay = json.loads(payload) if payload else {}
        if not isinstance(overlay, dict):
            raise ValueError("not a table of keys")
        settings.checked(merged(self.base, overlay))
        self._save("trial", {"hash": name, "overlay": overlay, "tries": 0})
        return True

    def keep(self):
        """The trial has proven itself."""
        self._save("before", self.now)
        self.now = {"hash": self.trial["hash"], "overlay": self.trial["overlay"]}
        self._save("now", self.now)
        self._remove("trial")
        self.trial = {}

    def give_up(self, why):
        """End the trial; the configuration before it runs from the next start on."""
        self.refused = self.refused[1 - _REFUSED_MAX :] + [self.trial["hash"]]
        self._save("refused", self.refused)
        self.given_up = [self.trial["hash"], why]
        self._save("given_up", self.given_up)
        self._remove("trial")
        self.trial = {}

    def reported(self):
        """The end of a trial has been reported."""
        self.given_up = None
        self._remove("given_up")
