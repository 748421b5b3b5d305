"""One task for what is rare: the time, commands, configuration, updates, and reports of faults.

Nothing here may hold up sampling or delivery. What it needs is loaded for the moment and given back, because memory is
what a node has least of. Messages wait in a short queue; a flood is refused, not stored.
"""

import json

from . import VERSION, lazy
from .slots import Slots

ROOM = 6
TRIAL_MS = 300000
PROOF_MS = 900000
PACE_MS = 250
FRESH_MS = 120000
CLOCK_FIRST_MS, CLOCK_LONGEST_MS, CLOCK_SETTLED_MS = 2000, 600000, 6 * 3600000


class Clerk:
    """`node` gives board, client, ring, uplink, crashlog, conf, prefix, healthy() and restart."""

    def __init__(self, node, config_trial, given_up):
        self.node = node
        self.slots = Slots(node.board.root)
        self.letters = []
        self.chunks = []
        self.beat = lambda: None
        self._config_trial = config_trial
        self._given_up = given_up
        self._began = node.board.ticks_ms()
        self._telling = None
        self._clock_due = 0
        self._clock_wait = CLOCK_FIRST_MS

    def take(self, end, payload):
        """Put a message into the queue; False when there is no room."""
        queue = self.letters if end in ("cmd", "config", "ota/offer") else self.chunks
        if len(queue) >= ROOM:
            return False
        queue.append((end, payload))
        return True

    async def run(self):
        """Watch over trials, answer letters, tell of faults, for ever."""
        introduced = False
        while True:
            self.beat()
            self._watch()
            await self._ask_time()
            if self.node.client.online and not self.slots.on_trial:
                if not introduced:
                    await self._introduce()
                    introduced = True
                if self.letters:
                    await self._open_safely(*self.letters.pop(0))
                await self._tell_faults()
            await self.node.board.sleep_ms(PACE_MS)

    async def _ask_time(self):
        """Eager until a server has answered, then every few hours."""
        node = self.node
        if not node.conf["ntp"] or node.board.ticks_ms() < self._clock_due:
            return
        why = await lazy.borrow("sntp").synchronise(node.board, node.clock, node.conf["ntp"])
        lazy.give_back("sntp")
        wait = self._clock_wait if why else CLOCK_SETTLED_MS
        self._clock_wait = min(2 * self._clock_wait, CLOCK_LONGEST_MS) if why else CLOCK_FIRST_MS
        self._clock_due = node.board.ticks_ms() + wait

    # ---- trials ----

    def _watch(self):
        """Keep or give up what runs on trial: a configuration after an ack, a firmware when its readings arrive."""
        node, age = self.node, self.node.board.ticks_ms() - self._began
        if self._config_trial and (node.client.acks or age > TRIAL_MS):
            config = lazy.borrow("config").Config(node.board.root)
            if node.client.acks:
                config.keep()
                self._config_trial = False
                lazy.give_back("config", "settings")
            else:
                config.give_up("no acknowledgement from the broker in 5 minutes")
                node.board.reset()
        if self.slots.on_trial:
            if node.healthy():
                self.slots.commit()
            elif age > PROOF_MS:
                node.board.reset()

    async def _introduce(self):
        config = lazy.borrow("config").Config(self.node.board.root)
        if self._given_up:
            await self._report_config("reverted", self._given_up[0], self._given_up[1], config.told)
        if not self._config_trial:
            await self._report_config("applied", config.now["hash"])
        lazy.give_back("config", "settings")
        await self._report_ota("running", VERSION)

    # ---- letters ----

    async def _open_safely(self, end, payload):
        """Where memory does not suffice a fresh start is tried once: it is least torn then, and offers come again."""
        try:
            await self._open(end, payload)
        except MemoryError:
            lazy.give_back("commands", "config", "settings", "ota", "bundle", "hmac256")
            self.node.crashlog.add("clerk", "too little memory for a message on " + end)
            if self.node.board.ticks_ms() - self._began > FRESH_MS:
                self.node.board.reset()

    async def _open(self, end, payload):
        if end == "cmd":
            answer = await lazy.borrow("commands").answer(self.node, payload)
            lazy.give_back("commands")
            await self._publish("cmd/answer", answer)
        elif end == "config":
            state, name, reason = lazy.borrow("config").Config(self.node.board.root).take(payload)
            lazy.give_back("config", "settings")
            await self._report_config(state, name, reason)
            self.node.restart = state == "trial"
        elif payload != b"":
            state, version, reason = await lazy.borrow("ota").consider(self, payload)
            lazy.give_back("ota", "bundle", "hmac256")
            await self._report_ota(state, version, reason)
            self.node.restart = state == "trial"
        if self.node.restart:
            await self.node.board.sleep_ms(2000)  # so that the answer still gets out
            self.node.board.reset()

    # ---- reports ----

    async def _tell_faults(self):
        entries = self.node.crashlog.entries
        if entries and self._telling is None:
            self._telling = entry = entries[0]
            boot, up, who, what = entry
            await self._publish("log", {"boot": boot, "up": up, "task": who, "error": what}, False, self._told)

    def _told(self):
        self.node.crashlog.told(self._telling)
        self._telling = None

    async def _report_config(self, state, name, reason="", on_ack=None):
        await self._publish("config/report", {"hash": name, "state": state, "reason": reason}, True, on_ack)

    async def _report_ota(self, state, version, reason=""):
        slots = self.slots
        report = {"fw": VERSION, "slot": slots.running, "state": state, "version": version, "bad": slots.bad}
        report["reason"] = reason
        await self._publish("ota/state", report, True)

    async def _publish(self, end, value, retain=False, on_ack=None):
        text = json.dumps(value).encode()
        await self.node.client.publish(self.node.prefix + end, lambda: text, on_ack, retain, self.beat)
