"""The series the engine keeps days of, each with its row in the grids. Pure.

A city has hundreds of thousands: what is kept of each is a few numbers in arrays, and one key of a dictionary.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from registry.city import City
from telemetry.growing import Growing
from telemetry.series import BoolArray, IntArray, Series, SeriesTable

_FOUND = 4  # devices whose rows are kept in lists, for each row
_NONE: Mapping[str, int] = {}


class SeriesRows:
    """Rows of the series of registered devices whose quantity is one of `quantities`; a row never changes.

    `places`: by quantity and device the place among the rows of that quantity. `names`: the quantities, a new one last.
    """

    def __init__(self, city: City, table: SeriesTable, quantities: set[str]) -> None:
        self.quantities = quantities
        self.places: dict[str, dict[str, int]] = {}
        self._city, self._table = city.id, table
        self._registered = city.by_id
        self._series, self._place, self._code = Growing(np.int32), Growing(np.int32), Growing(np.int16)  # of each row
        self.names: list[str] = []  # of the codes of quantities
        self._rows = Growing(np.int32)  # of each series, -1 for none
        self._of: dict[str, Growing] = {}  # rows of each quantity
        self._found: dict[tuple[tuple[str, ...], str], IntArray] = {}
        self._listed = 0  # devices in `_found`

    def __len__(self) -> int:
        return len(self._series)

    def of_series(self, series: int) -> int | None:
        """The row of a series, made where it has none yet; None for one that is not kept."""
        if series < len(self._rows) and (known := self._rows[series]) >= 0:
            return known
        name = self._table[series]
        if name.city != self._city or name.quantity not in self.quantities or name.device not in self._registered:
            return None
        return self._add(series, name)

    def _add(self, series: int, name: Series) -> int:
        row = len(self._series)
        self._rows.fill(len(self._table), -1)
        if name.quantity not in self.places:
            self.places[name.quantity], self._of[name.quantity] = {}, Growing(np.int32)
            self.names.append(name.quantity)
        places = self.places[name.quantity]
        place = places[name.device] = len(places)
        self._rows[series] = row
        self._series.append(series)
        self._place.append(place)
        self._code.append(self.names.index(name.quantity))
        self._of[name.quantity].append(row)
        self._found.clear()
        self._listed = 0
        return row

    def of_many(self, series: IntArray) -> IntArray:
        """The row of each of these different series, as `of_series`; -1 for one that is not kept."""
        rows = self.of_known(series)
        for place in np.flatnonzero(rows < 0).tolist():
            row = self.of_series(int(series[place]))
            rows[place] = -1 if row is None else row
        return rows

    def of_known(self, series: IntArray) -> IntArray:
        """The row of each of these series, -1 where it has none yet."""
        self._rows.fill(len(self._table), -1)
        rows: IntArray = self._rows.all[series].astype(np.int64)
        return rows

    def of_name(self, device: str, quantity: str) -> int | None:
        """The row of the series of this device and quantity, as `of_series`."""
        return self.of_series(self._table.id_of(Series(self._city, device, quantity)))

    def find(self, device: str, quantity: str) -> int:
        """The row of the series of this device and quantity, -1 without data."""
        place = self.places.get(quantity, _NONE).get(device, -1)
        return -1 if place < 0 else self._of[quantity][place]

    def find_all(self, devices: Sequence[str], quantity: str) -> IntArray:
        """The row of a quantity of each of these devices, -1 without data."""
        places = self.places.get(quantity, _NONE)
        out = np.array([places.get(device, -1) for device in devices], dtype=np.int64)
        there = out >= 0
        if there.any():
            out[there] = self._of[quantity].all[out[there]]
        return out

    def series(self, row: int) -> int:
        """The series of a row."""
        return self._series[row]

    def quantity(self, row: int) -> str:
        """The quantity of a row."""
        return self.names[self._code[row]]

    def name(self, row: int) -> tuple[str, str]:
        """Device and quantity of a row."""
        series = self._table[self._series[row]]
        return series.device, series.quantity

    def devices(self, rows: IntArray) -> list[str]:
        """The device of each of these rows."""
        every = self._table.all
        return [every[series].device for series in self._series.all[rows].tolist()]

    def names_from(self, first: int) -> list[tuple[str, str]]:
        """Device and quantity of each row from `first` on."""
        every = self._table.all
        return [
            (name.device, name.quantity) for name in (every[series] for series in self._series.all[first:].tolist())
        ]

    def codes(self, rows: IntArray) -> IntArray:
        """The place in `names` of the quantity of each of these rows."""
        codes: IntArray = self._code.all[rows].astype(np.int64)
        return codes

    def of(self, devices: tuple[str, ...], quantity: str) -> IntArray:
        """The rows of a quantity of these devices, -1 without data."""
        key = (devices, quantity)
        if key not in self._found:
            self._listed += len(devices)
            if self._listed > _FOUND * len(self):
                self._found.clear()
                self._listed = len(devices)
            places = self.places.get(quantity, _NONE)
            rows = np.append(self.with_quantity(quantity), -1)
            self._found[key] = rows[[places.get(d, -1) for d in devices]] if devices else rows[:0]
        return self._found[key]

    def with_quantity(self, quantity: str) -> IntArray:
        """The rows of a quantity, ascending."""
        known = self._of.get(quantity)
        return np.empty(0, dtype=np.int64) if known is None else known.all.astype(np.int64)

    def among(self, rows: IntArray, quantities: frozenset[str]) -> BoolArray:
        """Which of these rows are of one of the quantities."""
        wanted = np.array([name in quantities for name in self.names], dtype=np.bool_)
        return wanted[self.codes(rows)]

    def by_quantity(self, rows: IntArray) -> Iterator[tuple[str, IntArray, IntArray]]:
        """Each quantity of these rows, its rows, and their places among all of that quantity."""
        code, place = self.codes(rows), self._place.all[rows].astype(np.int64)
        for number in np.unique(code).tolist():
            mine = code == number
            yield self.names[number], rows[mine], place[mine]

    def ids(self, rows: IntArray) -> IntArray:
        """The series ids of these rows."""
        ids: IntArray = self._series.all[rows].astype(np.int64)
        return ids
