"""A grid of equal intervals of time, on which power is laid out. Pure."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from telemetry.series import IntArray
from telemetry.windows import DAY, HOUR, MINUTE

QUARTER = 15 * MINUTE
WEEK = 7 * DAY


class Grid(NamedTuple):
    """`slots` intervals of `step` ms from `start` (UTC ms) on."""

    start: int
    step: int
    slots: int

    @staticmethod
    def over(start: int, end: int, step: int = QUARTER) -> Grid:
        """The whole intervals of `step` ms in [start, end)."""
        return Grid(start, step, max((end - start) // step, 0))

    @property
    def end(self) -> int:
        """The end of the last interval, UTC ms."""
        return self.start + self.step * self.slots

    @property
    def hours(self) -> float:
        """The length of one interval in hours: kW = kWh / hours."""
        return self.step / HOUR

    @property
    def days(self) -> float:
        """The length of the whole grid in days."""
        return self.step * self.slots / DAY

    @property
    def minutes(self) -> float:
        """The length of one interval in minutes, as results state it."""
        return self.step / MINUTE

    def times(self) -> IntArray:
        """The start of each interval, UTC ms."""
        return self.start + self.step * np.arange(self.slots, dtype=np.int64)

    def shifted(self, ms: int) -> Grid:
        """The same grid, `ms` later."""
        return self._replace(start=self.start + ms)
