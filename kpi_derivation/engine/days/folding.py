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
from kpi_derivation.engine.days.hours import Hours, Span
from kpi_derivation.engine.days.many import join_plain, settle_intervals
from kpi_derivation.engine.days.series_rows import SeriesRows
from kpi_derivation.engine.families import FAMILIES
from kpi_derivation.engine.families.registers import FAMILY as REGISTERS
from kpi_derivation.engine.row_days import ByQuantity, ByRow, RowDays
from kpi_derivation.rules.metering.meter_changes import connection_limits, meter_changes
from kpi_derivation.rules.metering.registers import MeterChange
from registry.city import City
from telemetry.gases import EU_CELSIUS, relative
from telemetry.partials import Partials
from telemetry.quantities import QUANTITIES
from telemetry.series import IntArray, SeriesTable

_AT_ONCE = 60_000  # hours of dirty days that are folded at once; quarters of meters come to them
_LEAST = 500
_IN_MEMORY = 20_000  # dirty days whose hours are kept between the two passes over them
_BEFORE = [family for family in FAMILIES if family.before_intervals]
_AFTER = [family for family in FAMILIES if not family.before_intervals]

_LOOKING = {quantity for family in _AFTER if family.lead_h for quantity in family.quantities or ()}


class Folding:
    """The dirty days of one city, and how they are folded into `columns`."""

    def __init__(
        self, city: City, table: SeriesTable, rows: SeriesRows, days: CivilDays, hours: Hours, columns: DayColumns
    ) -> None:
        self._rows, self._days, self._hours, self._columns = rows, days, hours, columns
        self._table, self._capture = table, city.rules.hour_capture
        devices = city.by_id
        self._interval = ByRow(rows, lambda name, _: devices[name].interval_s or math.nan)
        self._is_event = ByQuantity(rows, lambda quantity: QUANTITIES[quantity].event)
        self._is_looking = ByQuantity(rows, _LOOKING.__contains__)
        self._declared, limits = meter_changes(city), connection_limits(city)
        self._limits = ByRow(rows, lambda *name: limits.get(name, math.nan), None if limits else math.nan)
        self._is_declared = ByRow(rows, lambda *name: bool(self._declared.get(name)), None if self._declared else 0.0)
        self._in_ppb = {(d.id, q) for d in city.device for q in d.in_ppb}
        self.replaced: dict[int, list[int]] = {}  # by row: days (ordinals) on which the meter was changed
        self._dirty = RowDays()

    def touch(self, hours: Partials, since: int = -(1 << 60)) -> None:
        """Mark the days of these hours dirty, of those that begin from `since` on, and those of the series that are
        corrected by them.
        """
        hours = self._hours.in_service.only(hours)
        hours = hours.where(hours.start >= since)
        if not len(hours):
            return
        series, days = hours.series, self._days.ordinals(hours.start)
        differs = (np.diff(series, prepend=-1) != 0) | (np.diff(days, prepend=-1) != 0)
        series, days = series[differs], days[differs]  # hours of one day are beside each other
        numbers, place = np.unique(series, return_inverse=True)
        rows = self._rows.of_many(numbers)[place]
        self._dirty |= RowDays.of(rows[rows >= 0], days[rows >= 0])
        for number in self._hours.correcting(numbers):
            mine = days[series == number]
            for touched in self._hours.corrected_by(number):
                if (row := self._rows.of_series(touched)) is not None:
                    self._dirty |= RowDays.of(np.full(len(mine), row, dtype=np.int64), mine)

    def touch_everything(self) -> None:
        """Mark every day with data dirty."""
        self._dirty |= RowDays.of(*self._columns.main.with_data())

    @property
    def is_dirty(self) -> bool:
        """Whether any day is."""
        return len(self._dirty) > 0

    def touch_days(self, first: int, last: int) -> None:
        """Mark the days first..last (ordinals) of every series with data on them dirty."""
        self._dirty |= RowDays.of(*self._columns.main.with_data(first, last))

    def settle(self, given: Span | None = None) -> RowDays:
        """Fold what is dirty; returns every (row, day) that changed.

        `given`: all hours of those days, and of the hours before the first, where the caller has them.
        """
        pieces = [self._dirty] if given is not None else self._dirty.pieces(self._at_once())
        changed = RowDays.union([self._fold(some, given) for some in pieces])
        self._dirty = RowDays()  # not before: the store may have been away
        return changed

    def _at_once(self) -> int:
        """How many dirty days are folded at once: all where their hours are not in memory, because each part would be a
        search of the store.
        """
        first = int(self._dirty.day.min(initial=1 << 22))
        if not len(self._dirty) or not self._hours.at_hand(first):
            return max(len(self._dirty), 1)
        return max(_AT_ONCE // self._hours.since(first), _LEAST)

    def _fold(self, dirty: RowDays, given: Span | None) -> RowDays:
        if not len(dirty):
            return dirty
        days = dirty.day
        self._columns.main.ensure(len(self._rows), int(days.min()), int(days.max()))
        blocks = self._blocks(dirty, given)
        for block in blocks():
            self._run(_BEFORE, block)
        again = self._settle_intervals(dirty.rows) - dirty
        for block in blocks():
            self._run(_AFTER, block)
        self._fold_other_days(_AFTER, again)
        changed = again | dirty
        after = self._days_after(changed)
        self._fold_other_days([family for family in _AFTER if family.lead_h], after)
        return changed | after | self._join_registers(dirty.rows)

    def _blocks(self, wanted: RowDays, given: Span | None = None) -> Callable[[], Iterable[Block]]:
        """The blocks of these days, to be run over twice: read once where they fit into memory."""
        among = _Wanted(wanted)

        def made() -> Iterable[Block]:
            spans = self._hours.spans(wanted) if given is None else [given]
            return (self._block(span, among) for span in spans)

        if given is None and len(wanted) > _IN_MEMORY:
            return made
        kept = list(made())
        return lambda: kept

    def _fold_other_days(self, families: Sequence[Family], wanted: RowDays) -> None:
        for block in self._blocks(wanted)() if len(wanted) else ():
            self._run(families, block)

    def _block(self, span: Span, wanted: _Wanted) -> Block:
        """The hours of the span on the wanted days."""
        row = self._rows.of_known(span.hours.series)
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
            measures=self._rows.among,
            modulus=lambda rows: self._table.modulus(self._rows.ids(rows)),
            interval=self._columns.interval,
            around=lambda rows: placed.where(np.isin(placed.row, rows)),
            changes=self._changes_of,
            eu_scale=self._eu_scale,
            limit=self._limits.of,
        )

    def _run(self, families: Sequence[Family], block: Block) -> None:
        """Fold a block by each family into its columns."""
        for family in families:
            mine = block if family.quantities is None else block.of(family.quantities)
            if len(mine):
                self._columns.put(family, mine.row, mine.day, family.fold(mine))

    def _settle_intervals(self, rows: IntArray) -> RowDays:
        """The (row, day) whose interval changed; events have none."""
        rows = rows[self._is_event.of(rows) == 0]
        return settle_intervals(self._columns.main, rows, self._interval.of(rows))

    def _days_after(self, changed: RowDays) -> RowDays:
        """Days with data, not among the changed, whose families look back into a changed day."""
        looking = changed.where(self._is_looking.of(changed.row) > 0)
        after = RowDays.of(looking.row, looking.day + 1) - changed
        readings = [self._columns.has_readings(row, day) for row, day in after]
        return after.where(np.array(readings, dtype=np.bool_))

    def _join_registers(self, rows: IntArray) -> RowDays:
        """The (row, day) whose energy changed."""
        moduli = self._table.modulus(self._rows.ids(rows))
        rows, moduli = rows[~np.isnan(moduli)], moduli[~np.isnan(moduli)]
        if not len(rows):
            return RowDays()
        own, main = self._columns.of(REGISTERS), self._columns.main
        places = own.places_of(rows, len(self._rows))
        limit, undeclared = self._limits.of(rows), self._is_declared.of(rows) == 0
        some = rows[undeclared], limit[undeclared]
        changed, plain = join_plain(main, own.grid, places[undeclared], *some, self._days.midnights)
        others = np.ones(len(rows), dtype=np.bool_)
        others[np.flatnonzero(undeclared)[plain]] = False
        for n in np.flatnonzero(others).tolist():
            row, place = int(rows[n]), int(places[n])
            register = float(moduli[n]), self._meter_changes(row), float(limit[n])
            days = join_register(main, own.grid, place, row, register, self._days.midnights)
            changed |= RowDays.of(np.full(len(days), row, dtype=np.int64), days)
        self._note_replaced(rows, own, places)
        return changed

    def _note_replaced(self, rows: IntArray, own: SparseGrid, places: IntArray) -> None:
        noted = own.grid.columns["meter_changes"]
        if self.replaced:
            self.replaced = {row: days for row, days in self.replaced.items() if row not in set(rows.tolist())}
        for n in np.flatnonzero((places >= 0) & np.any(noted[places], axis=1)).tolist():
            self.replaced[int(rows[n])] = (np.flatnonzero(noted[places[n]]) + own.grid.origin).tolist()

    def _eu_scale(self, row: int) -> float:
        name = self._rows.name(row)
        return relative(name[1], EU_CELSIUS) if name in self._in_ppb else 1.0

    def _changes_of(self, rows: IntArray) -> list[Sequence[MeterChange]]:
        found: list[Sequence[MeterChange]] = [()] * len(rows)
        for place in np.flatnonzero(self._is_declared.of(rows)).tolist():
            found[place] = self._meter_changes(int(rows[place]))
        return found

    def _meter_changes(self, row: int) -> Sequence[MeterChange]:
        return self._declared.get(self._rows.name(row), ())


class _Wanted:
    """Whether a (row, day) is one of some."""

    def __init__(self, wanted: RowDays) -> None:
        row, day = wanted.row, wanted.day
        self._first = int(day.min(initial=1 << 40))
        width = max(int(day.max(initial=0)) - self._first + 1, 0)
        self._known = np.zeros((int(row.max(initial=-1)) + 1, width), dtype=np.bool_)
        self._known[row, day - self._first] = True

    def has(self, row: IntArray, day: IntArray) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Of each (row, day)."""
        column = day - self._first
        inside = (row < self._known.shape[0]) & (column >= 0) & (column < self._known.shape[1])
        inside[inside] = self._known[row[inside], column[inside]]
        return inside
