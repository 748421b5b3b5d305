"""The node's clock: uptime since this start, and the unix time it stands for.

The *anchor* of a boot is the unix time (ms) at its uptime zero. It is confirmed once time servers agree,
and an estimate before that: over a reset the board's RTC may jump by hours. Anchors are kept on flash, so that readings
taken before the first synchronisation get their time when they are sent, also after a loss of power.

Quality of a time (`tq`): 2 confirmed, 1 estimated, 0 not known (the gateway calculates it from the arrival).
"""

import struct

from micropython import const

from . import BUILT, files, lazy

_ANCHORS_MAX = const(16)
_CHAIN_MAX = const(12)
_JUMP_MS = const(100)


class Clock:
    """`boot` is this boot's number; `board` gives ticks_ms, rtc_ms, set_rtc and keep; `say` logs events."""

    def __init__(self, board, boot, say=None):
        self.board = board
        self.boot = self.line = boot
        self.say = say or (lambda *_: None)
        self.anchor_ms = 0
        self.guess_ms = 0
        self.offset_ms = 0
        self._path = board.state + "/anchors"
        found = files.load(self._path) or {}
        self.anchors = {int(line): tuple(value) for line, value in found.items() if isinstance(value, list)}
        self.began_rtc = board.rtc_ms() - board.ticks_ms()
        self.chain = []
        self._unix_minus_rtc = None  # once known; 0 where the RTC itself is set
        self._resume()
        if not self.guess_ms:
            board.set_rtc(max(BUILT * 1000, lazy.load("net.validity").not_before_ms(board), self._latest()))
            lazy.unload("net.validity")
            self.began_rtc = board.rtc_ms() - board.ticks_ms()
        self.chain.append((boot, self.began_rtc))
        self._keep()

    def _latest(self):
        return max([value[0] for value in self.anchors.values()] or [0])

    # ---- over a reset ----

    def _resume(self):
        """Where the power stayed on: restore the boots before, by the RTC, and an estimate of the time."""
        data = lazy.load("hal.rtc_memory").get(self.board, "clock")
        if len(data) < 9 or len(data) % 12 != 9:
            return
        known, offset = struct.unpack_from("<Bq", data, 0)
        for at in range(9, len(data), 12):
            boot, began = struct.unpack_from("<Iq", data, at)
            if boot < self.boot and began <= self.began_rtc:
                self.chain.append((boot, began))
        if known:
            self._unix_minus_rtc = offset
            self.guess_ms = self.began_rtc + offset

    def _keep(self):
        self.chain = self.chain[-_CHAIN_MAX:]
        offset = self._unix_minus_rtc
        data = struct.pack("<Bq", offset is not None, offset or 0)
        data += b"".join([struct.pack("<Iq", *link) for link in self.chain])
        lazy.load("hal.rtc_memory").put(self.board, "clock", data)
        lazy.unload("hal.rtc_memory")

    # ---- uptime ----

    def uptime_ms(self):
        """Milliseconds since this start."""
        return self.board.ticks_ms()

    def uptime(self):
        """Whole seconds since this start, rounded."""
        return (self.uptime_ms() + 500) // 1000

    def tenths(self):
        """Tenths of a second since this start, rounded: what records are stamped with."""
        return (self.uptime_ms() + 50) // 100

    # ---- unix time ----

    @property
    def synced(self):
        """True once time servers have agreed since this start."""
        return self.anchor_ms > 0

    def now(self):
        """Tenths of a unix second, confirmed, or 0."""
        return (self.anchor_ms + self.uptime_ms() + 50) // 100 if self.anchor_ms else 0

    def running_ms(self):
        """The unix time by the running clock, estimated or confirmed; 0 where there is none."""
        anchor = self.anchor_ms or self.guess_ms
        return anchor + self.uptime_ms() if anchor else 0

    def estimate(self, unix_ms):
        """Use an unconfirmed time as an estimate, to be confirmed by the next answer."""
        before, self.guess_ms = self.guess_ms, unix_ms - self.uptime_ms()
        if before and abs(self.guess_ms - before) >= 1000:
            self.say("clock", "the estimate moved by %d ms" % (self.guess_ms - before))

    def sync(self, unix_ms):
        """Set a confirmed time; returns by how many milliseconds the running clock was off."""
        anchor, before = unix_ms - self.uptime_ms(), self.anchor_ms or self.guess_ms
        self.offset_ms = anchor - before if before else 0
        if abs(self.offset_ms) >= 1000:
            self.say("clock", "corrected by %d ms" % self.offset_ms)
        elif not self.anchor_ms:
            self.say("clock", "set")
        self.anchor_ms = self.guess_ms = anchor
        rtc = self.board.rtc_ms()
        self._date_chain(unix_ms - rtc)
        self.board.set_rtc(unix_ms)
        moved = self.board.rtc_ms() - rtc
        if abs(moved) >= 10:
            self.chain = [(boot, began + moved) for boot, began in self.chain]
            self.began_rtc += moved
        self._unix_minus_rtc = unix_ms - self.board.rtc_ms()
        self._keep()
        if abs(self.anchors.get(self.line, (0, 0))[0] - anchor) > _JUMP_MS:
            self.anchors[self.line] = (anchor, 2)
            self._save()
        return self.offset_ms

    def _date_chain(self, unix_minus_rtc):
        """Date earlier boots by the RTC, which may have jumped, hence an estimate."""
        for boot, began in self.chain:
            if boot != self.line and boot not in self.anchors:
                self.anchors[boot] = (began + unix_minus_rtc, 1)

    def _save(self):
        while len(self.anchors) > _ANCHORS_MAX:
            del self.anchors[min(self.anchors)]
        files.save(self._path, {str(line): list(value) for line, value in self.anchors.items()})

    def unix(self, line, up):
        """Return the unix time at an uptime of a boot, both in tenths of a second; None where it is not known."""
        return self.dated(line, up)[0]

    def dated(self, line, up):
        """Return (unix time in tenths of a second, quality); (None, 0) where it is not known."""
        if line == self.line:
            anchor, quality = (self.anchor_ms, 2) if self.anchor_ms else (self.guess_ms, 1)
        else:
            anchor, quality = self.anchors.get(line, (0, 0))
        return ((anchor + up * 100 + 50) // 100, quality) if anchor else (None, 0)

    def resolve(self, rec):
        """Return (unix time in tenths, quality) of a record."""
        return (rec.time, 2) if rec.time else self.dated(rec.line, rec.up)
