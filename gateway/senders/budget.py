"""How much one sender may send: a burst, then a rate. Pure; the time is an argument.

A backlog of days fits into the burst. Messages beyond it are rejected before they are decoded. Rejects can be replayed,
but one sender has a budget of those too; beyond it messages are only counted.
"""

from __future__ import annotations

from typing import NamedTuple

from telemetry.windows import DAY

_STEP = 1000  # ms after which a budget is refilled
_SENDERS = 250_000  # of a generation; there are two
_FULL = 500_000  # ms after which every budget is full again

Sender = tuple[str, str]  # city, and the device, or the address where that names no device


class Rate(NamedTuple):
    """A budget: at once, then per second."""

    burst: int
    per_second: int


OLD, OLD_WEIGHT = 8 * DAY, 5  # a reading this many ms old counts as this many readings: its hour is read from the store
OLD_AT_ONCE = 1000  # windows of such readings that are sent at once
READINGS, MESSAGES, REJECTS = Rate(200_000, 2_000), Rate(20_000, 200), Rate(5_000, 10)


class Pace:
    """A sender that waits for each answer is slowed down instead of rejected: how long its next call waits."""

    __slots__ = ("_at", "_left", "_rate")

    def __init__(self, rate: Rate, now: float) -> None:
        """`now`: s, of a clock that only advances."""
        self._rate, self._at, self._left = rate, now, float(rate.burst)

    def wait_s(self, now: float) -> float:
        """Seconds until the call that has arrived at `now` may be answered."""
        self._left = min(self._rate.burst, self._left + (now - self._at) * self._rate.per_second) - 1
        self._at = now
        return max(-self._left / self._rate.per_second, 0.0)


class Allowance:
    """What is left of one sender's budgets: readings, messages, and rejects."""

    __slots__ = ("at", "messages", "readings", "rejects")

    def __init__(self, now: int) -> None:
        self.at = now
        self.readings, self.messages, self.rejects = map(float, (READINGS.burst, MESSAGES.burst, REJECTS.burst))

    def refill(self, now: int) -> None:
        """Add what the time since the last call gives. `now`: ms."""
        seconds, self.at = max(now - self.at, 0) / 1000, now
        self.readings = min(READINGS.burst, self.readings + seconds * READINGS.per_second)
        self.messages = min(MESSAGES.burst, self.messages + seconds * MESSAGES.per_second)
        self.rejects = min(REJECTS.burst, self.rejects + seconds * REJECTS.per_second)

    def rejects_next(self, paced: bool) -> str:
        """Why the next message is rejected; empty where it is decoded. `paced`: the number of messages has no limit."""
        if self.readings <= 0:  # one message may exceed what is left, and later ones wait until it is refilled
            return (
                f"more than {READINGS.burst} readings at once; beyond that {READINGS.per_second} a second are decoded"
            )
        if paced:
            return ""
        if self.messages < 1:
            return (
                f"more than {MESSAGES.burst} messages at once; beyond that {MESSAGES.per_second} a second are decoded"
            )
        self.messages -= 1
        return ""


class Budget:
    """The budgets of all senders of a gateway.

    In two generations: a sender that sent nothing while the newer one filled has a full budget again, so the older one
    is dropped whole. (To search a dict for its oldest entry takes the longer the more were deleted from it.)
    """

    def __init__(self) -> None:
        self._known: dict[Sender, Allowance] = {}
        self._older: dict[Sender, Allowance] = {}
        self._began = 0  # when the newer generation did, ms

    def of(self, sender: Sender, now: int) -> Allowance:
        """The budget of a sender at `now` (ms)."""
        found = self._known.get(sender)
        if found is None:
            if len(self._known) >= _SENDERS or not 0 <= now - self._began < _FULL:
                self._older, self._known, self._began = self._known, {}, now
            found = self._older.pop(sender) if sender in self._older else Allowance(now)
            self._known[sender] = found
        if not 0 <= now - found.at < _STEP:
            found.refill(now)
        return found
