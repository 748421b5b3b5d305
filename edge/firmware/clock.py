"""The node's clock: uptime that continues over a reset, and the unix time it stands for once a server told us.

`line` names the boot in which the uptime began to count: a reset continues the line, a loss of power begins a new
one. Per line the *anchor* (unix milliseconds at uptime zero) is kept on flash, so that readings taken before the
first synchronisation still get their true time when they are sent, even after another power cut.
"""

import struct
from binascii import crc32

from micropython import const

from . import BUILT, files, lazy

_ANCHORS_MAX = const(16)
_JUMP_MS = const(100)


class Clock:
    """`boot` is this boot's number; `board` gives ticks_ms, rtc_ms, set_rtc and keep."""

    def __init__(self, board, boot):
        self.board = board
        self.boot = boot
        self.line = boot
        self.base_ms = 0
        self.anchor_ms = 0
        self.offset_ms = 0
        self._path = board.root + "/anchors"
        self.anchors = {int(line): ms for line, ms in (files.load(self._path) or {}).items()}
        self.began_rtc = board.rtc_ms() - board.ticks_ms()
        lazy.borrow("lines").resume(self)
        lazy.give_back("lines")
        if not self.anchor_ms:
            board.set_rtc(BUILT * 1000)
        self._keep()

    def _keep(self):
        head = struct.pack(b"<Iqq", self.line, self.began_rtc, self.anchor_ms)
        self.board.keep(head + struct.pack(b"<I", crc32(head)))

    def uptime_ms(self):
        """Milliseconds on this line."""
        return self.base_ms + self.board.ticks_ms()

    def uptime(self):
        """Whole seconds on this line, rounded."""
        return (self.uptime_ms() + 500) // 1000

    @property
    def synced(self):
        """True once a server has told the time on this line."""
        return self.anchor_ms > 0

    def tenths(self):
        """Tenths of a second on this line, rounded: what records are stamped with."""
        return (self.uptime_ms() + 50) // 100

    def now(self):
        """Tenths of a unix second, or 0 when the time is not known."""
        return (self.anchor_ms + self.uptime_ms() + 50) // 100 if self.anchor_ms else 0

    def sync(self, unix_ms):
        """Take the time of a server; returns by how many milliseconds our clock was off."""
        anchor = unix_ms - self.uptime_ms()
        self.offset_ms = anchor - self.anchor_ms if self.anchor_ms else 0
        self.anchor_ms = anchor
        self.board.set_rtc(unix_ms)
        self.began_rtc = self.board.rtc_ms() - self.uptime_ms()
        self._keep()
        if abs(self.anchors.get(self.line, 0) - anchor) > _JUMP_MS:
            self._remember(anchor)
        return self.offset_ms

    def _remember(self, anchor):
        self.anchors[self.line] = anchor
        while len(self.anchors) > _ANCHORS_MAX:
            del self.anchors[min(self.anchors)]
        files.save(self._path, {str(line): ms for line, ms in self.anchors.items()})

    def unix(self, line, up):
        """Return the unix time at an uptime of a line, both in tenths of a second; None when nobody told the time."""
        anchor = self.anchor_ms if line == self.line else self.anchors.get(line)
        return (anchor + up * 100 + 50) // 100 if anchor else None

    def resolve(self, rec):
        """Return the unix time at which a record was taken, in tenths of a second; None when it is not known."""
        return rec.time or self.unix(rec.line, rec.up)
