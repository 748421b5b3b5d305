"""First and last day with data of series of events: between them a silent day is known to be silent. Pure."""

from __future__ import annotations

import numpy as np

from kpi_derivation.engine.days.grid import DayGrid
from kpi_derivation.engine.days.series_rows import SeriesRows
from kpi_derivation.engine.row_days import ByQuantity
from telemetry.quantities import QUANTITIES
from telemetry.series import IntArray

EVENTS = frozenset(name for name, quantity in QUANTITIES.items() if quantity.event) | {"connector_fault"}


class Lives:
    """The lives of one city's series; see `CityDays.life` for how derivations read them."""

    def __init__(self, rows: SeriesRows, main: DayGrid) -> None:
        self._rows, self._main = rows, main
        self._is_event = ByQuantity(rows, EVENTS.__contains__)
        self._first = self._last = np.empty(
            0, dtype=np.int64
        )  # of each row up to the last of events, as it was reported last; 0: never
        self._spans: dict[str, tuple[int, int]] = {}  # of all rows of a quantity together

    def of(self, row: int) -> tuple[int, int] | None:
        """First and last day (ordinals) with data of a row; None where there is none."""
        if not 0 <= row < self._main.shape[0]:
            return None
        days = np.flatnonzero(self._main.columns["n"][row] > 0)
        return (int(days[0]) + self._main.origin, int(days[-1]) + self._main.origin) if len(days) else None

    def grown(self, rows: IntArray) -> dict[int, set[str]]:
        """Days (ordinals) by which the lives of these rows became longer or shorter, with the rows' quantities."""
        found: dict[int, set[str]] = {}
        rows = rows[(self._is_event.of(rows) > 0) & (rows < self._main.shape[0])]
        if not len(rows):
            return found
        there = self._main.columns["n"][rows] > 0
        rows, there = rows[there.any(axis=1)], there[there.any(axis=1)]
        first = there.argmax(axis=1) + self._main.origin
        last = there.shape[1] - 1 - there[:, ::-1].argmax(axis=1) + self._main.origin
        if (more := int(rows.max(initial=-1)) + 1 - len(self._first)) > 0:
            room = np.zeros(more + len(self._first) // 4, dtype=np.int64)
            self._first, self._last = np.append(self._first, room), np.append(self._last, room)
        before = self._first[rows], self._last[rows]
        self._first[rows], self._last[rows] = first, last
        for n in np.flatnonzero((before[0] != first) | (before[1] != last)).tolist():
            now, quantity = (int(first[n]), int(last[n])), self._rows.quantity(int(rows[n]))
            old = (int(before[0][n]), int(before[1][n])) if before[0][n] else None
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
