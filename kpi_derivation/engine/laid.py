"""The power of all meters in the quarters of one day. Pure."""

from __future__ import annotations

import numpy as np

from telemetry.series import FloatArray, IntArray


class Laid:
    """Quarter by quarter, NaN where it is unknown: a quarter that is to come takes no memory.

    `meters`: of how many it is known in each quarter.
    """

    def __init__(self, meters: int, quarters: int) -> None:
        self._size = meters
        self._power: list[FloatArray | None] = [None] * quarters
        self.meters: IntArray = np.zeros(quarters, dtype=np.int64)
        self._total: FloatArray = np.zeros(quarters)
        self._changed: set[int] = set()  # quarters that are to be added up again

    def make_room(self, places: IntArray, meters: int) -> None:
        """For so many meters, of which the known ones are at these places."""
        self._size = meters
        for quarter, old in enumerate(self._power):
            if old is not None:
                self._power[quarter] = new = np.full(meters, np.nan)
                new[places] = old
                self._changed.add(quarter)

    def replace(self, places: IntArray, power: FloatArray) -> None:
        """Other power of the meters at these places, of shape (places, quarters): all others are not counted again."""
        known = ~np.isnan(power)
        number = known.sum(axis=0)
        for quarter in range(len(self._power)):
            column = self._power[quarter]
            if column is None:
                if not number[quarter]:
                    continue
                column = self._power[quarter] = np.full(self._size, np.nan)
            old, new = column[places], power[:, quarter]
            there = ~np.isnan(old)
            if not ((old == new) | ~(there | known[:, quarter])).all():
                column[places] = new
                self.meters[quarter] += number[quarter] - there.sum()
                self._changed.add(quarter)

    def power(self) -> FloatArray:
        """Of each meter in each quarter, NaN where it is unknown."""
        out = np.full((self._size, len(self._power)), np.nan)
        for quarter, column in enumerate(self._power):
            if column is not None:
                out[:, quarter] = column
        return out

    def total(self) -> FloatArray:
        """Of all meters together. One after the other: the order of a sum is part of its last bit."""
        for quarter in self._changed:
            column = self._power[quarter]
            if column is not None:
                self._total[quarter] = np.add.accumulate(np.where(np.isnan(column), 0.0, column))[-1]
        self._changed.clear()
        return self._total

    def bytes(self) -> int:
        """Bytes of the quarters that are known."""
        return sum(column.nbytes for column in self._power if column is not None)
