"""Everything the engine keeps of the days of one city, and the order in which they are updated. Pure.

Folding (dirty days of each series) -> sums of periods -> Demand, Neighbours (days of several series together)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from kpi_derivation.engine.days.balance import BalanceHours
from kpi_derivation.engine.days.civil import CivilDays
from kpi_derivation.engine.days.columns import DayColumns, SparseGrid
from kpi_derivation.engine.days.demand import DemandDays
from kpi_derivation.engine.days.folding import Folding
from kpi_derivation.engine.days.grid import DayGrid
from kpi_derivation.engine.days.hours import LONGEST, Hours
from kpi_derivation.engine.days.lives import Lives
from kpi_derivation.engine.days.neighbours import QUANTITIES as COMPARED
from kpi_derivation.engine.days.neighbours import Neighbours
from kpi_derivation.engine.days.period_sums import PeriodSums
from kpi_derivation.engine.days.rolling import Rolling
from kpi_derivation.engine.days.series_rows import SeriesRows
from kpi_derivation.engine.families import FAMILIES
from kpi_derivation.engine.recent import Recent
from kpi_derivation.engine.row_days import RowDays
from kpi_derivation.engine.spans import runs
from kpi_derivation.engine.state import Facts, State, fill, shape_of
from registry.city import City
from telemetry.partials import Partials
from telemetry.series import FloatArray, IntArray, SeriesTable


class CityDays:
    """The days of one city. `stored`: its hours; `quantities`: those of which days are kept; `peaks`: whether the
    highest demand is found.
    """

    def __init__(
        self, city: City, table: SeriesTable, stored: Recent, quantities: set[str], peaks: bool = True
    ) -> None:
        self._peaks = peaks
        self.civil, self.columns = CivilDays(city.zone), DayColumns()
        self.rows = SeriesRows(city, table, quantities)
        lead = max(family.lead_h for family in FAMILIES)
        self._hours = Hours(city, table, stored, self.rows, self.civil, lead)
        self._folding = Folding(city, table, self.rows, self.civil, self._hours, self.columns)
        self.sums = PeriodSums(self.rows, self.columns.main)
        self.rolling = Rolling(self.rows, self._hours, self.columns.main, table, city)
        self.lives = Lives(self.rows, self.columns.main)
        self._lives: dict[Any, tuple[FloatArray, FloatArray]] = {}  # by devices and quantities, until days change
        self._neighbours = Neighbours(city, self.rows, self.columns)
        self.demand = DemandDays(city, self.rows, self.civil, self._hours, self.columns)
        self.balance = BalanceHours(city, table, self.rows, self.civil, self._hours, self.columns)

    def touch(self, hours: Partials) -> None:
        """Mark the days of these hours dirty."""
        self._folding.touch(hours)

    def touch_everything(self) -> None:
        """Mark every day with data dirty."""
        self._folding.touch_everything()

    def touch_stored(self, first: int, last: int, series: IntArray | None) -> None:
        """Mark the days first..last (ordinals) of these series (None: of all) dirty, where hours are stored."""
        for a, b in runs(np.arange(first, last + 1), 1, LONGEST):
            self.touch(self._hours.raw(self.civil.midnight(a), self.civil.midnight(b + 1), series))

    def restore(self, first: int, last: int, curves: bool) -> None:
        """Fold the civil days first..last (ordinals) from the stored hours. `curves`: see `Engine.restore`."""
        self.demand.keep_laid = curves
        with self._hours.held():  # demand is made of the same hours
            for a, b in runs(np.arange(first, last + 1), 1, LONGEST):
                span = self._hours.span(a, b)
                self._folding.touch(span.hours, span.start)
                self._update_demand(self._folding.settle(span))
        every = np.arange(len(self.rows), dtype=np.int64)
        self._neighbours.update(RowDays.of(every, np.full(len(every), first)))
        self.lives.grown(every)

    def state(self, hours: tuple[int, int]) -> State:
        """What is kept of the days, nothing being dirty; `hours`: first and last start of those that are stored."""
        facts = Facts(hours, [self.rows.name(row) for row in range(len(self.rows))], sorted(self.rows.quantities))
        grids = self._grids()
        facts.grids = {title: shape_of(grid) for title, grid in grids.items()}
        facts.places = {title: grid.rows.tolist() for title, grid in self._sparse().items()}
        facts.replaced = self._folding.replaced
        facts.peaks, facts.known = self.demand.facts()
        return State(facts, grids)

    def resume(self, facts: Facts, data: Mapping[str, bytes], again: Iterable[int]) -> None:
        """Continue from a state, these days being empty; fold the days `again` (ordinals). Raises Damaged."""
        for device, quantity in facts.series:
            self.rows.of_name(device, quantity)
        for title, sparse in self._sparse().items():
            sparse.add(facts.places[title])
        self.demand.take(facts.peaks, facts.known)
        fill(self._grids(), facts.grids, data)
        self._folding.replaced = facts.replaced
        for first, last in runs(np.array(sorted(again), dtype=np.int64), 1):
            self._folding.touch_days(first, last)
            self.touch_stored(first, last, None)
        self.settle()
        self.lives.grown(np.arange(len(self.rows), dtype=np.int64))

    def _sparse(self) -> dict[str, SparseGrid]:
        """The grids that have a row for some series only."""
        own = {f"family-{number}": sparse for number, (_, sparse) in enumerate(self.columns.sparse)}
        return {**own, "flags": self._neighbours.flags}

    def _grids(self) -> dict[str, DayGrid]:
        sparse = {title: sparse.grid for title, sparse in self._sparse().items()}
        return {"main": self.columns.main, "demand": self.demand.own, **sparse}

    @property
    def is_dirty(self) -> bool:
        """Whether hours were noted that are not folded yet."""
        return self._folding.is_dirty

    def settle(self) -> RowDays:
        """Fold what is dirty; returns every (row, day) that changed."""
        changed = self._folding.settle()
        if len(changed):
            self._lives.clear()
        self.rolling.renew(changed)
        self.sums.renew(changed)
        self.balance.renew(changed)
        after = self._update_demand(changed)
        return changed | after | self._neighbours.update(changed)

    def quantities_of(self, changed: RowDays) -> dict[int, set[str]]:
        """The quantities of these, by day."""
        found: dict[int, set[str]] = {}
        for code, day in RowDays.of(self.rows.codes(changed.row), changed.day):
            found.setdefault(day, set()).add(self.rows.names[code])
        return found

    def _update_demand(self, changed: RowDays) -> RowDays:
        return self.demand.update(changed) if self._peaks else RowDays()

    def with_data(self) -> list[int]:
        """The civil days (ordinals) on which anything was measured."""
        return self.columns.main.days_with_data()

    def has_data(self, day: int) -> bool:
        """Whether anything was measured on a civil day (an ordinal)."""
        return self.columns.main.has_data(day)

    def has(self, quantity: str, first: int, last: int) -> bool:
        """Whether any series of a quantity has data in the days first..last."""
        return bool(self.columns.main.slice("n", self.rows.with_quantity(quantity), first, last).any())

    def daily(self, devices: Sequence[str], quantity: str, first: int, last: int) -> dict[str, FloatArray]:
        """Columns of the days first..last, one row a device: the sums', and those of the quantity's families."""
        rows, size = self.rows.of(tuple(devices), quantity), len(self.rows)
        found = self.columns.daily(rows, size, quantity, first, last)
        if quantity in COMPARED:
            found.ways.update(self._neighbours.flags.ways(rows, size, first, last))
        return found

    def life(self, devices: Sequence[str], quantities: Sequence[str]) -> tuple[FloatArray, FloatArray]:
        """Ms UTC of the first and last reading of each device in these quantities, whole days; NaN for none."""
        key = tuple(devices), tuple(quantities)
        if key not in self._lives:
            self._lives[key] = self._life(*key)
        first, last = self._lives[key]
        return first.copy(), last.copy()

    def _life(self, devices: tuple[str, ...], quantities: tuple[str, ...]) -> tuple[FloatArray, FloatArray]:
        first, last = np.full(len(devices), np.nan), np.full(len(devices), np.nan)
        for quantity in quantities:
            rows = self.rows.of(devices, quantity)
            for place in np.flatnonzero(rows >= 0).tolist():
                if days := self.lives.of(int(rows[place])):
                    a, b = self.civil.midnight(days[0]), self.civil.midnight(days[1] + 1)
                    first[place], last[place] = np.fmin(first[place], a), np.fmax(last[place], b)
        return first, last

    def meter_changes(self, first: int, last: int) -> dict[tuple[str, str], list[int]]:
        """Days of first..last (ordinals) on which a register was replaced, by device and quantity."""
        found = {
            self.rows.name(row): [d for d in days if first <= d <= last] for row, days in self._folding.replaced.items()
        }
        return {name: days for name, days in found.items() if days}

    def bytes(self) -> int:
        """Bytes of all grids and sums."""
        return sum(part.bytes() for part in (self.columns, self._neighbours, self.demand, self.sums))
