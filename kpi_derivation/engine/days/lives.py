"""First and last day with data of series of events: between them a silent day is known to be silent. Pure."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from kpi_derivation.engine.days.grid import DayGrid
from kpi_derivation.engine.days.series_rows import SeriesRows
from telemetry.quantities import QUANTITIES

EVENTS = frozenset(name for name, quantity in QUANTITIES.items() if quantity.event) | {"connector_fault"}


class Lives:
    """The lives of one city's series; see `CityDays.life` for how derivations read them."""

    def __init__(self, rows: SeriesRows, main: DayGrid) -> None:
        self._rows, self._main = rows, main
        self._known: dict[int, tuple[int, int]] = {}
        self._spans: dict[str, tuple[int, int]] = {}  # of all rows of a quantity together
        self._shared: dict[tuple[int, int], tuple[int, int]] = {}  # one of all that are equal

    def of(self, row: int) -> tuple[int, int] | None:
        """First and last day (ordinals) with data of a row; None where there is none."""
        if not 0 <= row < self._main.shape[0]:
            return None
        days = np.flatnonzero(self._main.columns["n"][row] > 0)
        return (int(days[0]) + self._main.origin, int(days[-1]) + self._main.origin) if len(days) else None

    def grown(self, rows: Iterable[int]) -> dict[int, set[str]]:
        """Days (ordinals) by which the lives of these rows became longer or shorter, with the rows' quantities."""
        found: dict[int, set[str]] = {}
        for row in rows:
            quantity = self._rows.quantity(row)
            now = self.of(row) if quantity in EVENTS else None
            if now is None:
                continue
            old = self._known.get(row)
            self._known[row] = self._shared.setdefault(now, now)
            for a, b in (*_between(old, now), *self._widened(quantity, now)):
                for day in range(a, b + 1):
                    found.setdefault(day, set()).add(quantity)
        return found

    def covering(self, day: int) -> set[str]:
        """Quantities of events that are known from that day (ordinal) or before to that day or after.

        Whatever is measured on such a day makes it one on which these events did not happen, or did.
        """
        return {quantity for quantity, (first, last) in self._spans.items() if first <= day <= last}

    def _widened(self, quantity: str, now: tuple[int, int]) -> list[tuple[int, int]]:
        old = self._spans.get(quantity)
        self._spans[quantity] = now if old is None else (min(old[0], now[0]), max(old[1], now[1]))
        return _between(old, self._spans[quantity])


def _between(old: tuple[int, int] | None, now: tuple[int, int]) -> list[tuple[int, int]]:
    if old is None:
        return [now]
    return [(min(a, b), max(a, b)) for a, b in zip(old, now, strict=True) if a != b]
