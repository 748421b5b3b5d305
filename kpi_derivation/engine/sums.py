"""Sums of a period per quantity and device; of many devices at once, as rows of one array. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache

import numpy as np

from telemetry.series import FloatArray, IntArray

Places = Mapping[str, Mapping[str, int]]  # by quantity and device
_NONE: Mapping[str, int] = {}


class Lazy(dict[str, FloatArray]):
    """Columns that are made when they are first asked for. `ways`: how each is made."""

    def __init__(self, ways: dict[str, Callable[[], FloatArray]]) -> None:
        super().__init__()
        self.ways = ways

    def __missing__(self, name: str) -> FloatArray:
        self[name] = self.ways[name]()
        return self[name]


class Sums:
    """`places`: the row of each device in the table of its quantity; `table`: the columns of the rows of a quantity.

    A table is made when it is first read: of most cities, KPIs read the sums of some quantities only.
    """

    def __init__(self, places: Places, table: Callable[[str], FloatArray]) -> None:
        self._places, self._table = places, table

    def places(self, devices: Sequence[str], quantity: str) -> IntArray:
        """The row of each of these, -1 where there is none; they hold as long as `size` is the same."""
        known = self._places.get(quantity, _NONE)
        return np.array([known.get(device, -1) for device in devices], dtype=np.int64)

    def size(self, quantity: str) -> int:
        """Number of rows of a quantity."""
        return len(self._places.get(quantity, _NONE))

    def of(self, places: IntArray, quantity: str) -> FloatArray:
        """The columns of the rows at these places, zeros where there is no data."""
        table = self._table(quantity)
        there = (places >= 0) & (places < len(table))  # a row may be new since the table was made
        if there.all():  # of thousands of devices, ten times quicker than row by row below
            out: FloatArray = table[places]
        else:
            out = np.zeros((len(places), table.shape[1]))
            out[there] = table[places[there]]
        seen = (out[:, 0] > 0) | (out[:, 6] > 0)
        if not seen.all():
            out[~seen] = 0.0
        return out

    def replaced(self, quantity: str, device: str, by: str) -> Sums:
        """The same sums, but a device has the row of another in one quantity; places stay valid."""

        @cache
        def table(name: str) -> FloatArray:
            made = self._table(name)
            if name == quantity:
                made = made.copy()
                made[self._places[name][device]] = made[self._places[name][by]]
            return made

        return Sums(self._places, table)

    def joined(self, other: Sums) -> Sums:
        """The rows of both; no device is in both."""

        @cache
        def table(name: str) -> FloatArray:
            return np.concatenate((self._table(name), other._table(name)))

        places = {}
        for name in {**self._places, **other._places}:
            size, more = len(self._table(name)), len(other._table(name))
            own = {device: row for device, row in self._places.get(name, _NONE).items() if row < size}
            others = other._places.get(name, _NONE).items()
            places[name] = own | {device: size + row for device, row in others if row < more}
        return Sums(places, table)
