"""What one sender may bring: a burst, then so much a second. Pure; the time is an argument.

A backlog of days fits into the burst. What is beyond costs next to nothing: it is refused before it is decoded. Refused
messages are kept and can be replayed, but of one sender no more than its budget of those: the others are only counted.
"""

from __future__ import annotations

from typing import NamedTuple

_SENDERS = 100_000  # remembered; others have a full budget

Sender = tuple[str, str]  # city, and the device, or the address where that names no device


class Rate(NamedTuple):
    """So many at once, then so many a second."""

    burst: int
    per_second: int


READINGS, MESSAGES, REFUSED = Rate(200_000, 2_000), Rate(20_000, 200), Rate(5_000, 10)


class Allowance:
    """What one sender may still bring: readings, messages, and refused messages that are kept."""

    __slots__ = ("at", "messages", "readings", "refused")

    def __init__(self, now: int) -> None:
        self.at = now
        self.readings, self.messages, self.refused = map(float, (READINGS.burst, MESSAGES.burst, REFUSED.burst))

    def refill(self, now: int) -> None:
        """What the time since the last call adds. `now`: ms."""
        seconds, self.at = max(now - self.at, 0) / 1000, now
        self.readings = min(READINGS.burst, self.readings + seconds * READINGS.per_second)
        self.messages = min(MESSAGES.burst, self.messages + seconds * MESSAGES.per_second)
        self.refused = min(REFUSED.burst, self.refused + seconds * REFUSED.per_second)

    def spent(self) -> str:
        """Why the next message must wait; empty where it need not."""
        if self.readings <= 0:  # one message may exceed what is left, and the next ones wait for it
            return f"more than {READINGS.burst} readings at once; beyond that {READINGS.per_second} a second are taken"
        if self.messages < 0:
            return f"more than {MESSAGES.burst} messages at once; beyond that {MESSAGES.per_second} a second are taken"
        return ""


class Budget:
    """The allowances of all senders of a gateway."""

    def __init__(self) -> None:
        self._known: dict[Sender, Allowance] = {}

    def of(self, sender: Sender, now: int) -> Allowance:
        """The allowance of a sender at `now` (ms)."""
        found = self._known.get(sender)
        if found is None:
            if len(self._known) >= _SENDERS:
                del self._known[next(iter(self._known))]
            found = self._known[sender] = Allowance(now)
        elif found.at != now:
            found.refill(now)
        return found
