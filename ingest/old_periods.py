"""How many periods that are over a city may derive at once: a sender of old readings must not delay the live values."""

from __future__ import annotations

from dataclasses import dataclass

BURST = 2000.0  # four and a half years of days, weeks, months, quarters and years
A_SECOND = 10.0  # about a tenth of a core for a small city
AT_ONCE = 20  # live values wait for this many at most: 8 ms each in a city of 1,000 devices
_LONGEST = 3600.0  # s; a clock that leaps gives no more


@dataclass(slots=True)
class OldPeriods:
    """The budget of a city: BURST, then A_SECOND, and AT_ONCE in one call. `at`: ms UTC of the last question."""

    left: float = BURST
    at: int = 0

    def allowed(self, now: int) -> int:
        """How many may be derived now (ms UTC)."""
        if self.at:
            passed = min(max((now - self.at) / 1000, 0.0), _LONGEST)
            self.left = min(self.left + passed * A_SECOND, BURST)
        self.at = now
        return min(int(self.left), AT_ONCE)

    def spend(self, count: int) -> None:
        """Count the derived values."""
        self.left -= count
