"""Uptime between two boots of unknown time. Loaded only then."""

from micropython import const

from . import record

_START = const(5)  # tenths that a board needs to start: two readings never get the same time


def between(ring, line, until):
    """Tenths of a second from the start of boot `line` to that of `until`, had the power returned at once."""
    ends = {}
    for number in range(ring.first, ring.next):
        payload = ring.read(number)
        if payload:
            at, up = record.uptime(payload)
            if line <= at < until:
                ends[at] = max(up + _START, ends.get(at, 0))
    return sum(ends.values())
