"""Uptime over a loss of power: needed only while no server has told the time."""

from . import record


def between(ring, line, until):
    """Seconds on the uptime lines from `line` on that ended before the line `until` began, as far as the ring knows."""
    ends = {}
    for number in range(ring.first, ring.next):
        payload = ring.read(number)
        if payload:
            at, up = record.uptime(payload)
            if line <= at < until:
                ends[at] = max(up, ends.get(at, 0))
    return sum(ends.values())
