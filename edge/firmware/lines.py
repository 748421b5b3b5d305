"""Lines of uptime: how one continues over a reset, and how many went before. Needed at a start and without a clock."""

import struct
from binascii import crc32

from micropython import const

from . import record

_START = const(5)  # tenths that a board needs to start: two readings never get the same time


def resume(clock):
    """Continue the line of the boot before when the RTC has run through the reset."""
    kept = clock.board.keep()
    if len(kept) == 24 and crc32(kept[:20]) == struct.unpack(b"<I", kept[20:])[0]:
        line, began, anchor, _ = struct.unpack(b"<IqqI", kept)
        if 0 <= clock.boot - line < 256 and began <= clock.began_rtc:
            clock.base_ms = clock.began_rtc - began
            clock.line, clock.began_rtc, clock.anchor_ms = line, began, anchor


def between(ring, line, until):
    """Tenths of a second from the start of `line` to that of `until`, had the power always come back at once."""
    ends = {}
    for number in range(ring.first, ring.next):
        payload = ring.read(number)
        if payload:
            at, up = record.uptime(payload)
            if line <= at < until:
                ends[at] = max(up + _START, ends.get(at, 0))
    return sum(ends.values())
