"""Series, and `SeriesTable`, which numbers them so that columns can hold integers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from telemetry.quantities import modulus

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


class Series(NamedTuple):
    """One quantity of one device of one city."""

    city: str
    device: str
    quantity: str


class SeriesTable:
    """A growing list of series; the id of a series is its index in the list and never changes."""

    def __init__(self, known: Iterable[Series] = ()) -> None:
        self.all: list[Series] = []
        self._ids: dict[Series, int] = {}
        self._modulus = np.empty(0)
        self._rollovers: dict[Series, float] = {}
        self._of_quantity: dict[str, BoolArray] = {}
        for series in known:
            self.id_of(series)

    def __len__(self) -> int:
        return len(self.all)

    def __getitem__(self, index: int) -> Series:
        return self.all[index]

    def id_of(self, series: Series) -> int:
        """The id of `series`, assigned at its first use. Raises KeyError for an unknown quantity."""
        found = self._ids.get(series)
        if found is None:
            modulus(series.quantity)  # an unknown quantity must not enter the table
            found = self._ids[series] = len(self.all)
            self.all.append(series)
        return found

    def find(self, series: Series) -> int | None:
        """The id of `series`; None where it has none yet."""
        return self._ids.get(series)

    def has(self, quantity: str, ids: IntArray) -> BoolArray:
        """Which of the ids are series of a quantity."""
        known = self._of_quantity.get(quantity, np.empty(0, dtype=np.bool_))
        if len(known) < len(self.all):
            fresh = [series.quantity == quantity for series in self.all[len(known) :]]
            known = self._of_quantity[quantity] = np.concatenate([known, np.array(fresh, dtype=np.bool_)])
        return known[ids]

    def set_rollovers(self, city: str, rollovers: Mapping[Series, float]) -> None:
        """Where registers of single devices of a city start again at zero, in place of their quantity's modulus."""
        others = {series: size for series, size in self._rollovers.items() if series.city != city}
        self._rollovers, self._modulus = {**others, **rollovers}, np.empty(0)

    def modulus(self, ids: IntArray) -> FloatArray:
        """Counter modulus of each id, for `fold` and `regroup`: its device's, else its quantity's."""
        if len(self._modulus) < len(self.all):
            self._modulus = np.array([self._rollovers.get(s, modulus(s.quantity)) for s in self.all])
        return self._modulus[ids]
