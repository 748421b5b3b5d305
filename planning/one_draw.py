"""What derivations read in one draw of a scenario: the draw's own meter, under a name that all draws share. Pure.

The meters that differ by draw have an engine of their own, so that the city's is not rebuilt for them. Everything that
follows from the registry is calculated once, not for each of some hundred draws.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from kpi_derivation.engine.days.balance import Balance, Meters
from kpi_derivation.engine.view import BalanceReader, DemandReader, View
from registry.city import City
from telemetry.series import FloatArray

ENERGY = "energy_delta"


class Draws:
    """The city in each draw. `shared`: the view of all meters but the drawn ones; `drawn`: of these alone.

    `shown`: the drawn meter whose name stands for that of every draw; `city`: all other devices and this one.
    """

    def __init__(self, shared: View, drawn: View, shown: str, city: City) -> None:
        self._shared, self._drawn, self._shown, self._city = shared, drawn, shown, city
        self._sums = shared.sums.joined(drawn.sums)
        self._balance = BalanceOfDraw(shared.read_balance, drawn.read_balance, shown)
        self._index: dict[Any, Any] = {}

    def view(self, meter: str, demand: DemandReader) -> View:
        """The city with this drawn meter in place of all. `demand`: how its demand is read."""
        one = _One(self._shared, self._drawn, self._shown, meter)
        return replace(
            self._shared, city=self._city, sums=self._sums.replaced(ENERGY, self._shown, meter),
            read_demand=demand, read_days=one.days, read_hours=one.hours, read_life=one.life,
            read_balance=self._balance.of(meter), found={}, index=self._index,
        )  # fmt: skip


class _One:
    """Reads the days, hours and lives of `meant` in place of those of `shown`."""

    def __init__(self, shared: View, drawn: View, shown: str, meant: str) -> None:
        self._shared, self._drawn, self._shown, self._meant = shared, drawn, shown, meant

    def days(self, devices: Sequence[str], quantity: str, first: int, last: int) -> dict[str, FloatArray]:
        """See DayReader."""
        found = self._shared.read_days(devices, quantity, first, last)
        if self._shown not in devices:
            return found
        own = self._drawn.read_days([self._meant], quantity, first, last)
        return _Columns(found, own, list(devices).index(self._shown))

    def hours(self, devices: Sequence[str], quantity: str, start: int, end: int) -> FloatArray:
        """See HourReader."""
        found = self._shared.read_hours(devices, quantity, start, end)
        if self._shown in devices:
            found[list(devices).index(self._shown)] = self._drawn.read_hours([self._meant], quantity, start, end)[0]
        return found

    def life(self, devices: Sequence[str], quantities: Sequence[str]) -> tuple[FloatArray, FloatArray]:
        """See LifeReader."""
        found = self._shared.read_life(devices, quantities)
        if self._shown in devices:
            place = list(devices).index(self._shown)
            for column, own in zip(found, self._drawn.read_life([self._meant], quantities), strict=True):
                column[place] = own[0]
        return found


class _Columns(dict[str, FloatArray]):
    """Columns of days, one row a device, with another row at `place`; each made when it is first read."""

    def __init__(self, found: dict[str, FloatArray], own: dict[str, FloatArray], place: int) -> None:
        super().__init__()
        self._found, self._own, self._place = found, own, place

    def __missing__(self, name: str) -> FloatArray:
        column = self._found[name].copy()
        column[self._place] = self._own[name][0]
        self[name] = column
        return column


class BalanceOfDraw:
    """Adds the hours of the draw's own meter to those of the shared meters, which are cached."""

    def __init__(self, read: BalanceReader, read_own: BalanceReader, shown: str) -> None:
        self._read, self._read_own, self._shown = read, read_own, shown
        self._kept: dict[tuple[int, int, int], tuple[tuple[Meters, ...], Balance, tuple[Meters, ...]]] = {}

    def of(self, meant: str) -> BalanceReader:
        """As the draw whose meter is `meant` reads it."""

        def read(sides: tuple[Meters, ...], start: int, end: int) -> Balance:
            _, shared, mine = self._shared(sides, start, end)
            own = self._read_own(tuple(tuple((meant, q) for _, q in side) for side in mine), start, end)
            return Balance(*(np.add(a, b) for a, b in zip(shared, own, strict=True)))

        return read

    def _shared(
        self, sides: tuple[Meters, ...], start: int, end: int
    ) -> tuple[tuple[Meters, ...], Balance, tuple[Meters, ...]]:
        key = (id(sides), start, end)  # stored with the sides, so that no other object gets their id
        if key not in self._kept:
            rest = tuple(tuple(meter for meter in side if meter[0] != self._shown) for side in sides)
            mine = tuple(tuple(meter for meter in side if meter[0] == self._shown) for side in sides)
            self._kept[key] = sides, self._read(rest, start, end), mine
        return self._kept[key]
