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
            self._known[row] = now
            for a, b in _between(old, now):
                for day in range(a, b + 1):
                    found.setdefault(day, set()).add(quantity)
        return found


def _between(old: tuple[int, int] | None, now: tuple[int, int]) -> list[tuple[int, int]]:
    if old is None:
        return [now]
    return [(min(a, b), max(a, b)) for a, b in zip(old, now, strict=True) if a != b]
