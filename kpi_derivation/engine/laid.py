"""The power of all meters in the quarters of one day. Pure."""

from __future__ import annotations

import numpy as np

from telemetry.series import BoolArray, FloatArray, IntArray

_CELLS = 1 << 17  # values that are added up at once


class Laid:
    """Quarter by quarter: of one that is to come nothing is written, so that the system gives it no memory.

    `meters`: of how many the power is known in each quarter.
    """

    def __init__(self, meters: int, quarters: int) -> None:
        self._power: FloatArray = np.zeros((quarters, meters))  # 0 where it is unknown
        self._known: BoolArray = np.zeros((quarters, meters), dtype=np.bool_)
        self.meters: IntArray = np.zeros(quarters, dtype=np.int64)
        self._total: FloatArray = np.zeros(quarters)
        self._changed: BoolArray = np.zeros(quarters, dtype=np.bool_)  # quarters that are to be added up again

    def make_room(self, places: IntArray, meters: int) -> None:
        """For so many meters, of which the known ones are at these places."""
        old, quarters = self._power, np.flatnonzero(self.meters)
        known, self._power = self._known, np.zeros((len(old), meters))
        self._known = np.zeros(self._power.shape, dtype=np.bool_)
        for quarter in quarters.tolist():
            self._power[quarter, places], self._known[quarter, places] = old[quarter], known[quarter]
        self._changed[quarters] = True

    def replace(self, places: IntArray, power: FloatArray) -> None:
        """Other power of the meters at these places, of shape (places, quarters): all others are not counted again."""
        known = ~np.isnan(power)
        quarters = np.flatnonzero(known.any(axis=0) | (self.meters > 0))
        now, value = known.T[quarters], np.where(known, power, 0.0).T[quarters]
        at = np.ix_(quarters, places)
        before = self._known[at]
        self._changed[quarters] |= ((now != before) | (value != self._power[at])).any(axis=1)
        self.meters[quarters] += now.sum(axis=1) - before.sum(axis=1)
        self._known[at], self._power[at] = now, value

    def power(self) -> FloatArray:
        """Of each meter in each quarter, NaN where it is unknown."""
        return np.ascontiguousarray(np.where(self._known, self._power, np.nan).T)

    def total(self) -> FloatArray:
        """Of all meters together. One after the other: the order of a sum is part of its last bit."""
        step = max(_CELLS // max(self._power.shape[1], 1), 1)
        changed = np.flatnonzero(self._changed)
        for some in (changed[at : at + step] for at in range(0, len(changed), step)):
            self._total[some] = np.add.accumulate(self._power[some], axis=1)[:, -1]
        self._changed[:] = False
        return self._total

    def bytes(self) -> int:
        """Bytes of the quarters in which anything is known."""
        quarters = int((self.meters > 0).sum())
        return quarters * (self._power.nbytes + self._known.nbytes) // len(self._power)
