"""Series, and `SeriesTable`, which numbers them so that columns can hold integers."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
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
        self._own_text: dict[str, Callable[[str], str]] = {}  # by city
        self._of_quantity: dict[str, BoolArray] = {}
        self._beside: dict[str, IntArray] = {}
        self._cities: list[str] = []
        self._city = np.empty(0, dtype=np.int64)  # of each series, its place in `_cities`
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
            found = len(self.all)
            own = self._own_text.get(series.city, str.__str__)
            # Texts of messages and of a store are others in each: of 100,000 series 19 MB.
            city, quantity = (sys.intern(str.__str__(text)) for text in (series.city, series.quantity))  # also NumPy's
            kept = Series(city, own(series.device), quantity)
            self._ids[kept] = found
            self.all.append(kept)
        return found

    def share_texts(self, city: str, own: Callable[[str], str]) -> None:
        """Keep of each id of a device that occurs from now on the equal text that `own` gives."""
        self._own_text[city] = own

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

    def beside(self, ids: IntArray, quantity: str) -> IntArray:
        """The series of `quantity` of the device of each id, assigned at their first use."""
        known = self._beside.get(quantity, np.empty(0, dtype=np.int64))
        if len(known) < len(self.all):
            known = np.append(known, np.full(len(self.all) - len(known), -1))
        self._beside[quantity] = known
        for number in np.unique(ids[known[ids] < 0]).tolist():
            known[number] = self.id_of(self.all[number]._replace(quantity=quantity))
        return known[ids]

    def by_city(self, ids: IntArray) -> Iterator[tuple[str, BoolArray]]:
        """Each city of these ids, in order, and which of them are of it."""
        if fresh := self.all[len(self._city) :]:
            self._cities += sorted({series.city for series in fresh}.difference(self._cities))
            places = {city: place for place, city in enumerate(self._cities)}
            self._city = np.append(self._city, [places[series.city] for series in fresh])
        of_each = self._city[ids]
        for place in sorted(np.unique(of_each).tolist(), key=self._cities.__getitem__):
            yield self._cities[place], of_each == place

    def set_rollovers(self, city: str, rollovers: Mapping[Series, float]) -> None:
        """Where registers of single devices of a city start again at zero, in place of their quantity's modulus."""
        others = {series: size for series, size in self._rollovers.items() if series.city != city}
        self._rollovers, self._modulus = {**others, **rollovers}, np.empty(0)

    def modulus(self, ids: IntArray) -> FloatArray:
        """Counter modulus of each id, for `fold` and `regroup`: its device's, else its quantity's."""
        if len(self._modulus) < len(self.all):
            fresh = self.all[len(self._modulus) :]
            self._modulus = np.append(self._modulus, [self._rollovers.get(s, modulus(s.quantity)) for s in fresh])
        return self._modulus[ids]
