"""The civil days of a city, as proleptic ordinals. Pure."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

import numpy as np

from telemetry.periods import midnight
from telemetry.series import IntArray
from telemetry.windows import DAY

_EPOCH = date(1970, 1, 1).toordinal()


class CivilDays:
    """When the days of a time zone begin."""

    def __init__(self, zone: ZoneInfo) -> None:
        self.zone = zone
        self._midnights: dict[int, int] = {}

    def midnight(self, day: int) -> int:
        """UTC ms at which the civil day (ordinal) begins."""
        if day not in self._midnights:
            self._midnights[day] = midnight(date.fromordinal(day), self.zone)
        return self._midnights[day]

    def midnights(self, days: IntArray) -> IntArray:
        """UTC ms at which each of these days begins."""
        return np.array([self.midnight(int(day)) for day in days], dtype=np.int64)

    def ordinals(self, t: IntArray) -> IntArray:
        """Civil day, as proleptic ordinal, of each time."""
        if not len(t):
            return t
        first, last = _EPOCH + int(t.min()) // DAY - 1, _EPOCH + int(t.max()) // DAY + 1
        bounds = np.array([self.midnight(o) for o in range(first, last + 1)])
        return np.searchsorted(bounds, t, side="right") - 1 + first
