"""How many readings one device may send: a burst, then a rate. Pure; the time is an argument.

A backlog of a day fits into the burst. Messages beyond it are rejected before they are decoded, kept as
rejects, and can be replayed.
"""

from __future__ import annotations

BURST, PER_SECOND = 200_000, 2_000  # readings
_DEVICES = 100_000  # kept; others have a full budget

Device = tuple[str, str]


class Budget:
    """The budgets of all devices of a gateway."""

    def __init__(self, burst: int = BURST, per_second: int = PER_SECOND) -> None:
        self._burst, self._per_second = burst, per_second
        self._left: dict[Device, tuple[float, int]] = {}

    def is_spent(self, device: Device, now: int) -> bool:
        """Whether the device has used its budget. `now`: ms."""
        found = self._left.get(device)
        return found is not None and self._refilled(found, now) <= 0

    def spend(self, device: Device, readings: int, now: int) -> None:
        """Subtract these readings; one message may exceed what is left, and later ones wait until it is refilled."""
        if not readings:
            return
        found = self._left.pop(device, (float(self._burst), now))
        if len(self._left) >= _DEVICES:
            del self._left[next(iter(self._left))]
        self._left[device] = (self._refilled(found, now) - readings, now)

    def _refilled(self, found: tuple[float, int], now: int) -> float:
        left, since = found
        return min(self._burst, left + max(now - since, 0) / 1000 * self._per_second)
