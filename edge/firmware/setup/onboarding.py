"""The way from a board without `node.json` to a node: form, network, enrolment, restart.

What was entered lies in the file `setup` until it has led to an enrolment, so that a power cut loses nothing. Where
the network or the server cannot be reached, the access point opens again with the reason, and the same is tried again
when nobody comes. A code that is refused is not tried again.
"""

import json
import os
from binascii import hexlify

from micropython import const

from .. import files, lazy
from ..eventlog import reason

_IDLE_MS = const(300000)
_JOINS = const(2)  # of 30 s; one more where there is a second network


class Onboarding:
    """Sets up the node of a board."""

    def __init__(self, board):
        self.board = board
        self.path = board.state + "/setup"
        self.wanted = files.load(self.path) or {}
        self._last = {}

    def say(self, part, text):
        """A change of state, on the console."""
        if self._last.get(part) != text:
            self._last[part] = text
            print("setup: %s: %s" % (part, text))

    async def run(self):
        """Return once the node is enrolled; the caller starts the board again."""
        self.board.say = self.say
        radio = lazy.load("hal.radio").Radio(self.board, self._password())
        problem = ""
        while True:
            if self.wanted.get("code"):
                problem = await self._enrol(radio)
                if not problem:
                    return
                self.say("enrolment", problem)
            self.say("access point", radio.name + (", protected" if radio.password else ", open to everybody"))
            entered = await lazy.load("setup.portal").ask(self.board, radio, self.wanted, problem, _IDLE_MS)
            lazy.unload("setup.portal")
            if entered:
                self._keep(entered)

    def _password(self):
        try:
            return json.loads(files.read(self.board.root + "/portal.json") or b"{}").get("password", "")
        except ValueError:
            return ""

    def _keep(self, entered):
        same = entered["code"] == self.wanted.get("code")
        entered["nonce"] = self.wanted["nonce"] if same else hexlify(os.urandom(16)).decode()
        self.wanted = entered
        files.save(self.path, entered)

    async def _enrol(self, radio):
        """Try once; returns why it failed, empty where it did not."""
        try:
            await self._join(radio)
            enrolment = lazy.load("setup.enrolment")
            try:
                enrolment.store(self.board, await enrolment.fetch(self.board, self.wanted), self.wanted)
                return ""
            except enrolment.Refused as err:
                self.wanted = dict(self.wanted)
                self.wanted["code"] = ""
                files.save(self.path, self.wanted)
                return reason(err)
            finally:
                radio.leave()
        except (OSError, ValueError) as err:
            return reason(err)

    async def _join(self, radio):
        """Wi-Fi, the second network after the first; OSError with its status."""
        station = radio.station(self.wanted, self.say)
        for left in range(_JOINS if self.wanted.get("ssid2") else _JOINS - 1, -1, -1):
            try:
                await station.up(lambda: None)
                return
            except OSError:
                if not left:
                    raise
