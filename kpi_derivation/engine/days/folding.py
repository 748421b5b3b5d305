"""Folding days: the only module that records which (series, day) are dirty, and runs the families over their hours.

    hours of dirty days --families before intervals--> how long a reading stands --other families--> columns of days

Where a day changes how long the readings of its series stand, or is looked back at, other days are folded too. Pure.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from kpi_derivation.engine.days.along import join_register
from kpi_derivation.engine.days.blocks import Block, Placed, Source
from kpi_derivation.engine.days.civil import CivilDays
from kpi_derivation.engine.days.columns import DayColumns, SparseGrid
from kpi_derivation.engine.days.family import Family
from kpi_derivation.engine.days.hours import Hours, Pairs, Span
from kpi_derivation.engine.days.many import join_plain, settle_intervals
from kpi_derivation.engine.days.series_rows import SeriesRows
from kpi_derivation.engine.families import FAMILIES
from kpi_derivation.engine.families.registers import FAMILY as REGISTERS
from kpi_derivation.rules.metering.meter_changes import connection_limits, meter_changes
from kpi_derivation.rules.metering.registers import MeterChange
from registry.city import City
from telemetry.gases import EU_CELSIUS, relative
from telemetry.partials import Partials
from telemetry.quantities import QUANTITIES
from telemetry.series import IntArray, SeriesTable

_IN_MEMORY = 20_000  # dirty days whose hours are kept between the two passes over them
_FAR = 1 << 23  # beyond any ordinal of a day
_BEFORE = [family for family in FAMILIES if family.before_intervals]
_AFTER = [family for family in FAMILIES if not family.before_intervals]

_LOOKING = {quantity for family in _AFTER if family.lead_h for quantity in family.quantities or ()}

Changed = set[tuple[int, int]]


class Folding:
    """The dirty days of one city, and how they are folded into `columns`."""

    def __init__(
        self, city: City, table: SeriesTable, rows: SeriesRows, days: CivilDays, hours: Hours, columns: DayColumns
    ) -> None:
        self._rows, self._days, self._hours, self._columns = rows, days, hours, columns
        self._table, self._capture = table, city.rules.hour_capture
        self._fixed = {d.id: d.interval_s for d in city.device}
        self._declared, self._limits = meter_changes(city), connection_limits(city)
        self._in_ppb = {(d.id, q) for d in city.device for q in d.in_ppb}
        self.replaced: dict[int, list[int]] = {}  # by row: days (ordinals) on which the meter was changed
        self._dirty: Changed = set()

    def touch(self, hours: Partials, since: int = -(1 << 60)) -> None:
        """Mark the days of these hours dirty, of those that begin from `since` on, and those of the series that are
        corrected by them.
        """
        hours = self._hours.in_service.only(hours)
        code = (hours.series * _FAR + self._days.ordinals(hours.start))[hours.start >= since]
        if not len(code):
            return
        code = np.unique(code[np.diff(code, prepend=-1) != 0])  # hours of one day are beside each other
        series, days = code // _FAR, code % _FAR
        starts = np.flatnonzero(np.diff(series, prepend=-1))
        for number, part in zip(series[starts].tolist(), np.split(days, starts[1:]), strict=True):
            mine = part.tolist()
            for touched in (number, *self._hours.corrected_by(number)):
                row = self._rows.of_series(touched)
                if row is not None:
                    self._dirty.update((row, day) for day in mine)

    def touch_everything(self) -> None:
        """Mark every day with data dirty."""
        rows, days = self._columns.main.with_data()
        self._dirty |= set(zip(rows.tolist(), days.tolist(), strict=True))

    @property
    def is_dirty(self) -> bool:
        """Whether any day is."""
        return bool(self._dirty)

    def touch_days(self, first: int, last: int) -> None:
        """Mark the days first..last (ordinals) of every series with data on them dirty."""
        rows, days = self._columns.main.with_data(first, last)
        self._dirty |= set(zip(rows.tolist(), days.tolist(), strict=True))

    def settle(self, given: Span | None = None) -> Changed:
        """Fold what is dirty; returns every (row, day) that changed.

        `given`: all hours of those days, and of the hours before the first, where the caller has them.
        """
        changed = self._fold(sorted(self._dirty), given)
        self._dirty.clear()  # not before: the store may have been away
        return changed

    def _fold(self, dirty: Pairs, given: Span | None) -> Changed:
        if not dirty:
            return set()
        days = [day for _, day in dirty]
        self._columns.main.ensure(len(self._rows), min(days), max(days))
        blocks = self._blocks(dirty, given)
        for block in blocks():
            self._run(_BEFORE, block)
        rows = np.unique([row for row, _ in dirty])
        again = self._settle_intervals(rows) - set(dirty)
        for block in blocks():
            self._run(_AFTER, block)
        self._fold_other_days(_AFTER, again)
        changed = again.union(dirty)
        after = self._days_after(changed)
        self._fold_other_days([family for family in _AFTER if family.lead_h], after)
        return changed | after | self._join_registers(rows)

    def _blocks(self, pairs: Pairs, given: Span | None = None) -> Callable[[], Iterable[Block]]:
        """The blocks of these days, to be run over twice: read once where they fit into memory."""
        wanted = _Wanted(pairs)

        def made() -> Iterable[Block]:
            spans = self._hours.spans(pairs) if given is None else [given]
            return (self._block(span, wanted) for span in spans)

        if given is None and len(pairs) > _IN_MEMORY:
            return made
        kept = list(made())
        return lambda: kept

    def _fold_other_days(self, families: Sequence[Family], pairs: Changed) -> None:
        for block in self._blocks(sorted(pairs))():
            self._run(families, block)

    def _block(self, span: Span, wanted: _Wanted) -> Block:
        """The hours of the span on the wanted days."""
        row = self._rows.lookup()[span.hours.series]
        day = self._days.ordinals(span.hours.start)
        known = Placed(span.hours, row, day).where(row >= 0)
        own = known.where((known.hours.start >= span.start) & wanted.has(known.row, known.day))
        return Block(own, self._source(known))

    def _source(self, placed: Placed) -> Source:
        return Source(
            zone=self._days.zone,
            hour_capture=self._capture,
            midnights=self._days.midnights,
            quantity=self._rows.quantity,
            modulus=lambda rows: self._table.modulus(self._rows.ids(rows)),
            interval=self._columns.interval,
            around=lambda rows: placed.where(np.isin(placed.row, rows)),
            changes=self._meter_changes,
            eu_scale=self._eu_scale,
            limit=self._limit,
        )

    def _run(self, families: Sequence[Family], block: Block) -> None:
        """Fold a block by each family into its columns."""
        for family in families:
            mine = block if family.quantities is None else block.of(family.quantities)
            if len(mine):
                self._columns.put(family, mine.row, mine.day, family.fold(mine))

    def _settle_intervals(self, rows: IntArray) -> Changed:
        """The (row, day) whose interval changed; events have none."""
        names = [self._rows.name(row) for row in rows.tolist()]
        regular = np.array([not QUANTITIES[quantity].event for _, quantity in names], dtype=np.bool_)
        fixed = np.array([self._fixed.get(device) or math.nan for device, _ in names])
        return settle_intervals(self._columns.main, rows[regular], fixed[regular])

    def _days_after(self, changed: Changed) -> Changed:
        """Days with data, not among the changed, whose families look back into a changed day."""
        return {
            (row, day + 1)
            for row, day in changed
            if self._rows.quantity(row) in _LOOKING
            and (row, day + 1) not in changed
            and self._columns.has_readings(row, day + 1)
        }

    def _join_registers(self, rows: IntArray) -> Changed:
        """The (row, day) whose energy changed."""
        moduli = self._table.modulus(self._rows.ids(rows))
        rows, moduli = rows[~np.isnan(moduli)], moduli[~np.isnan(moduli)]
        if not len(rows):
            return set()
        own, main = self._columns.of(REGISTERS), self._columns.main
        places = own.places_of(rows, len(self._rows))
        limit = np.array([self._limit(row) for row in rows.tolist()])
        undeclared = np.array([not self._meter_changes(row) for row in rows.tolist()], dtype=np.bool_)
        some = rows[undeclared], limit[undeclared]
        changed, plain = join_plain(main, own.grid, places[undeclared], *some, self._days.midnights)
        others = np.ones(len(rows), dtype=np.bool_)
        others[np.flatnonzero(undeclared)[plain]] = False
        for n in np.flatnonzero(others).tolist():
            row, place = int(rows[n]), int(places[n])
            register = float(moduli[n]), self._meter_changes(row), float(limit[n])
            days = join_register(main, own.grid, place, row, register, self._days.midnights)
            changed.update((row, day) for day in days.tolist())
        self._note_replaced(rows, own, places)
        return changed

    def _note_replaced(self, rows: IntArray, own: SparseGrid, places: IntArray) -> None:
        noted = own.grid.columns["meter_changes"]
        for row in rows.tolist():
            self.replaced.pop(row, None)
        for n in np.flatnonzero((places >= 0) & np.any(noted, axis=1)[places]).tolist():
            self.replaced[int(rows[n])] = (np.flatnonzero(noted[places[n]]) + own.grid.origin).tolist()

    def _limit(self, row: int) -> float:
        return self._limits.get(self._rows.name(row), math.nan)

    def _eu_scale(self, row: int) -> float:
        name = self._rows.name(row)
        return relative(name[1], EU_CELSIUS) if name in self._in_ppb else 1.0

    def _meter_changes(self, row: int) -> Sequence[MeterChange]:
        return self._declared.get(self._rows.name(row), ())


class _Wanted:
    """Whether a (row, day) is one of some."""

    def __init__(self, pairs: Pairs) -> None:
        want = np.array(pairs, dtype=np.int64).reshape(-1, 2)
        self._first = int(want[:, 1].min(initial=1 << 40))
        width = max(int(want[:, 1].max(initial=0)) - self._first + 1, 0)
        self._known = np.zeros((int(want[:, 0].max(initial=-1)) + 1, width), dtype=np.bool_)
        self._known[want[:, 0], want[:, 1] - self._first] = True

    def has(self, row: IntArray, day: IntArray) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Of each (row, day)."""
        column = day - self._first
        inside = (row < self._known.shape[0]) & (column >= 0) & (column < self._known.shape[1])
        inside[inside] = self._known[row[inside], column[inside]]
        return inside
