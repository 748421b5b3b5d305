"""The series the engine keeps days of, each with its row in the grids. Pure."""

from __future__ import annotations

import numpy as np

from registry.city import City
from telemetry.series import IntArray, Series, SeriesTable

_FOUND = 200  # lists of devices whose rows are kept


class SeriesRows:
    """Rows of the series of registered devices whose quantity is one of `quantities`; a row never changes."""

    def __init__(self, city: City, table: SeriesTable, quantities: set[str]) -> None:
        self.series: list[int] = []
        self.quantities = quantities
        self._city, self._table = city.id, table
        self._registered = {d.id for d in city.device}
        self._rows: dict[int, int] = {}
        self._quantity: list[str] = []
        self._known = np.empty(0, dtype=np.int64)
        self._looked_up = (-1, -1), self._known
        self._names: dict[tuple[str, str], int] = {}
        self._found: dict[tuple[tuple[str, ...], str, int], IntArray] = {}

    def __len__(self) -> int:
        return len(self.series)

    def of_series(self, series: int) -> int | None:
        """The row of a series, made where it has none yet; None for one that is not kept."""
        row = self._rows.get(series)
        if row is None:
            name = self._table[series]
            if name.city != self._city or name.quantity not in self.quantities or name.device not in self._registered:
                return None
            row = self._rows[series] = len(self.series)
            self.series.append(series)
            self._quantity.append(name.quantity)
        return row

    def of_name(self, device: str, quantity: str) -> int | None:
        """The row of the series of this device and quantity, as `of_series`."""
        return self.of_series(self._table.id_of(Series(self._city, device, quantity)))

    def quantity(self, row: int) -> str:
        """The quantity of a row."""
        return self._quantity[row]

    def name(self, row: int) -> tuple[str, str]:
        """Device and quantity of a row."""
        series = self._table[self.series[row]]
        return series.device, series.quantity

    def by_name(self) -> dict[tuple[str, str], int]:
        """The row of each (device, quantity) with data."""
        if len(self._names) != len(self.series):
            self._names = {self.name(row): row for row in range(len(self.series))}
        return self._names

    def of(self, devices: tuple[str, ...], quantity: str) -> IntArray:
        """The rows of a quantity of these devices, -1 where there is no data."""
        key = (devices, quantity, len(self.series))
        if key not in self._found:
            if len(self._found) > _FOUND:
                self._found.clear()
            names = self.by_name()
            self._found[key] = np.array([names.get((d, quantity), -1) for d in devices], dtype=np.int64)
        return self._found[key]

    def with_quantity(self, quantity: str) -> IntArray:
        """The rows of a quantity."""
        return np.array([r for r, q in enumerate(self._quantity) if q == quantity], dtype=np.int64)

    def ids(self, rows: IntArray) -> IntArray:
        """The series ids of these rows."""
        return self._ids()[rows]

    def _ids(self) -> IntArray:
        if len(self._known) != len(self.series):
            self._known = np.array(self.series, dtype=np.int64)
        return self._known

    def lookup(self) -> IntArray:
        """The row of each series id, -1 where there is none."""
        size = len(self._table), len(self.series)
        if size != self._looked_up[0]:
            lookup = np.full(size[0] + 1, -1, dtype=np.int64)
            lookup[self._ids()] = np.arange(size[1])
            self._looked_up = size, lookup
        return self._looked_up[1]
