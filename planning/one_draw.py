"""What derivations read in one draw of a scenario: its own meter under the name that all draws share. Pure.

So everything that follows from the registry is worked out once, and not for each of some hundred draws of thousands of
meters.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kpi_derivation.engine.days.balance import Balance, Meters
from kpi_derivation.engine.view import BalanceReader, DayReader
from telemetry.series import FloatArray


def under(read: DayReader, shown: str, meant: str) -> DayReader:
    """Reads the days of `meant` where those of `shown` are wanted."""

    def days(devices: Sequence[str], quantity: str, first: int, last: int) -> dict[str, FloatArray]:
        return read([meant if d == shown else d for d in devices], quantity, first, last)

    return days


class BalanceOfDraw:
    """The hours of all meters that the draws share, which are kept, and those of the draw's own added."""

    def __init__(self, read: BalanceReader, shown: str) -> None:
        self._read, self._shown = read, shown
        self._kept: dict[tuple[int, int, int], tuple[tuple[Meters, ...], Balance, tuple[Meters, ...]]] = {}

    def of(self, meant: str) -> BalanceReader:
        """As the draw whose meter is `meant` reads it."""

        def read(sides: tuple[Meters, ...], start: int, end: int) -> Balance:
            _, shared, mine = self._shared(sides, start, end)
            own = self._read(tuple(tuple((meant, q) for _, q in side) for side in mine), start, end)
            return Balance(*(np.add(a, b) for a, b in zip(shared, own, strict=True)))

        return read

    def _shared(
        self, sides: tuple[Meters, ...], start: int, end: int
    ) -> tuple[tuple[Meters, ...], Balance, tuple[Meters, ...]]:
        key = (id(sides), start, end)  # kept with the sides, so that no others get their id
        if key not in self._kept:
            rest = tuple(tuple(meter for meter in side if meter[0] != self._shown) for side in sides)
            mine = tuple(tuple(meter for meter in side if meter[0] == self._shown) for side in sides)
            self._kept[key] = sides, self._read(rest, start, end), mine
        return self._kept[key]
