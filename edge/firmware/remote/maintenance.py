"""One task for rare work: the time, commands, configuration, updates, and the log.

Nothing here may delay sampling or delivery. Its modules are loaded when needed (`tasks.py` and its own imports) and
unloaded afterwards, because memory is scarce. Messages wait in a short queue; beyond it they are refused.
"""

import json

from micropython import const

from .. import lazy

_ROOM = const(6)
_PACE_MS = const(250)
_AWAY_MS = const(5000)
_FRESH_MS = const(120000)
_CLOCK_FIRST_MS = const(2000)
_CLOCK_LONGEST_MS = const(600000)
_CLOCK_SETTLED_MS = const(6 * 3600000)
_UNLOADED = (
    "remote.tasks",
    "remote.commands",
    "remote.config",
    "remote.settings",
    "remote.slots",
    "remote.ota",
    "remote.bundle",
    "remote.image",
    "net.session_packets",
    "net.sntp",
    "net.dns",
    "remote.state",
)


class Maintenance:
    """`node` gives board, client, ring, uplink, events, conf, prefix and restart; two flags say what is on trial."""

    def __init__(self, node, config_trial, firmware_trial):
        self.node = node
        self.config_trial = config_trial
        self.firmware_trial = firmware_trial
        self.messages = []
        self.chunks = []
        self.beat = lambda: None
        self.began = node.board.ticks_ms()
        self._sending = None
        self._clock_due = 0
        self._clock_wait = _CLOCK_FIRST_MS

    @property
    def on_trial(self):
        """True while a configuration or a firmware is not confirmed yet."""
        return self.config_trial or self.firmware_trial

    def queue(self, end, payload):
        """Put a message into the queue; False when there is no room."""
        waiting = self.messages if end in ("cmd", "config", "ota/offer") else self.chunks
        if len(waiting) >= _ROOM:
            return False
        waiting.append((end, payload))
        return True

    async def run(self):
        """Supervise trials, process messages and the console, send the log, forever."""
        introduced = False
        while True:
            self.beat()
            if self.on_trial:
                lazy.load("remote.tasks").watch(self)
                if not self.on_trial:
                    self._tidy()
            await self._ask_time()
            if self.node.board.key_pressed():
                lazy.load("remote.state").show(self.node)
                self._tidy()
            if self.node.client.online and not self.firmware_trial:
                if not introduced:
                    self._clock_due = 0  # a time server can be queried now
                    await lazy.load("remote.tasks").introduce(self)
                    self._tidy()
                    introduced = True
                if self.messages:
                    await self._process_safely(*self.messages.pop(0))
                await self._send_log()
            await self.node.board.sleep_ms(_PACE_MS if self.node.client.online else _AWAY_MS)

    async def _ask_time(self):
        """Query time servers: often until the clock is confirmed, then every few hours."""
        node = self.node
        if not node.conf["ntp"] or node.board.ticks_ms() < self._clock_due:
            return
        why = await lazy.load("net.sntp").synchronise(node.board, node.journal.clock, node.conf["ntp"])
        self._tidy()
        if why.startswith("one answer"):
            self._clock_wait = _CLOCK_FIRST_MS  # the next one confirms it
        wait = self._clock_wait if why else _CLOCK_SETTLED_MS
        self._clock_wait = min(2 * self._clock_wait, _CLOCK_LONGEST_MS) if why else _CLOCK_FIRST_MS
        self._clock_due = node.board.ticks_ms() + wait
        node.uplink.wake()  # records may have been waiting for the time

    async def _process_safely(self, end, payload):
        """Process a message; where memory is too fragmented for it reset the board once, as offers are retained."""
        try:
            await lazy.load("remote.tasks").process(self, end, payload)
            self._tidy()
        except MemoryError:
            self._tidy()
            self.node.events.add("maintenance", "too little memory for a message on " + end)
            if self.node.board.ticks_ms() - self.began > _FRESH_MS:
                self.node.board.reset()

    def _tidy(self):
        lazy.unload(*_UNLOADED)

    # ---- reports ----

    async def _send_log(self):
        entries = self.node.events.entries
        if entries and self._sending is None:
            self._sending = entry = entries[0]
            boot, up, part, text, fault = entry
            line = {"boot": boot, "up": up, "task": part, "error": text, "fault": fault}
            await self.publish("log", line, False, self._sent)

    def _sent(self):
        self.node.events.delivered(self._sending)
        self._sending = None

    async def publish(self, end, value, retain=False, on_ack=None):
        """Send something about the node itself."""
        text = json.dumps(value).encode()
        await self.node.client.publish(self.node.prefix + end, lambda: text, on_ack, retain, self.beat)
