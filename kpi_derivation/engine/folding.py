"""What the engine knows of each series and day, folded again from the hours where they changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from functools import partial

import numpy as np

from kpi_derivation.engine import blocks
from kpi_derivation.engine.days import SUMMED, DayGrid, hour_columns, typical_step
from kpi_derivation.engine.demand_days import DemandDays
from kpi_derivation.engine.extras import EXTRAS, Extra
from kpi_derivation.engine.recent import Recent
from kpi_derivation.engine.rolling import Rolling
from kpi_derivation.engine.spans import Placed, Span, heads_of, runs
from kpi_derivation.engine.sums import Lazy, Sums
from kpi_derivation.rules.calibration import Calibrations
from kpi_derivation.rules.neighbours import QUANTITIES as COMPARED
from kpi_derivation.rules.neighbours import Neighbours
from registry.city import City
from telemetry.partials import Partials, regroup
from telemetry.periods import midnight
from telemetry.quantities import QUANTITIES
from telemetry.series import FloatArray, IntArray, SeriesTable
from telemetry.windows import DAY, HOUR

_SPAN = 32  # days whose hours are read at once
_IN_MEMORY = 20_000  # dirty days whose hours are kept between the two passes over them
_SUMMED_PERIODS = 24  # periods whose sums are kept
_LEAD = blocks.LEAD * HOUR
_FAR = 1 << 23  # beyond any ordinal of a day
_EPOCH = date(1970, 1, 1).toordinal()

Pairs = list[tuple[int, int]]


class Days:
    """The day grids of one city. `hours` gives stored hours; `quantities`: those that some KPI needs."""

    def __init__(self, city: City, table: SeriesTable, hours: Recent, quantities: set[str]) -> None:
        self.city, self.grid, self.series = city, DayGrid(), list[int]()
        self.rows, self.dirty = dict[int, int](), set[tuple[int, int]]()
        self._table, self._hours, self._quantities = table, hours, quantities
        self._fixed = {d.id: d.interval_s for d in city.device}
        self._calibrations = Calibrations(city, table)
        self._midnights, self._names = dict[int, int](), dict[tuple[str, str], int]()
        self._found_rows: dict[tuple[tuple[str, ...], str, int], IntArray] = {}
        self._found_places: dict[int, tuple[int, int, IntArray]] = {}
        self._summed: dict[tuple[int, int], FloatArray] = {}
        self.rolling = Rolling(self, table)
        self.neighbours, self.demand = Neighbours(city), DemandDays(city)
        self.extras = [(e, DayGrid(dict.fromkeys(e.columns, np.nan)), dict[int, int]()) for e in EXTRAS]

    def midnight(self, day: int) -> int:
        """UTC ms at which the civil day (ordinal) begins."""
        if day not in self._midnights:
            self._midnights[day] = midnight(date.fromordinal(day), self.city.zone)
        return self._midnights[day]

    def ordinals(self, t: IntArray) -> IntArray:
        """Civil day, as proleptic ordinal, of each time."""
        if not len(t):
            return t
        first, last = _EPOCH + int(t.min()) // DAY - 1, _EPOCH + int(t.max()) // DAY + 1
        bounds = np.array([self.midnight(o) for o in range(first, last + 1)])
        return np.searchsorted(bounds, t, side="right") - 1 + first

    def name(self, row: int) -> tuple[str, str]:
        """Device and quantity of a row."""
        series = self._table[self.series[row]]
        return series.device, series.quantity

    def quantity(self, series: int) -> str:
        """The quantity of a series id."""
        return self._table[series].quantity

    def row_of(self, device: str, quantity: str) -> int:
        """The row of a series, -1 where it has no data."""
        return self.by_name().get((device, quantity), -1)

    def by_name(self) -> dict[tuple[str, str], int]:
        """The row of each (device, quantity) with data."""
        if len(self._names) != len(self.series):
            self._names = {self.name(row): row for row in range(len(self.series))}
        return self._names

    def _row(self, series: int) -> int | None:
        row = self.rows.get(series)
        if row is None:
            name = self._table[series]
            if name.city != self.city.id or name.quantity not in self._quantities or name.device not in self._fixed:
                return None
            row = self.rows[series] = len(self.series)
            self.series.append(series)
        return row

    def touch(self, hours: Partials) -> None:
        """Mark the days of these hours dirty, of series that some KPI of a registered device needs."""
        if not len(hours):
            return
        code = np.unique(hours.series * _FAR + self.ordinals(hours.start))
        series, days = code // _FAR, code % _FAR
        for number in np.unique(series).tolist():
            mine = days[series == number].tolist()
            for row in self._rows_touched(number):
                self.dirty.update((row, day) for day in mine)

    def _rows_touched(self, series: int) -> Iterator[int]:
        """The row of a series, and those that are corrected by it."""
        row = self._row(series)
        if row is not None:
            yield row
        name = self._table[series]
        if name.quantity == "humidity" and name.city == self.city.id:
            for quantity in self._calibrations.needing_humidity.get(name.device, ()):
                corrected = self._row(self._table.id_of(name._replace(quantity=quantity)))
                if corrected is not None:
                    yield corrected

    def touch_everything(self) -> None:
        """Mark every day with data dirty."""
        if self.grid.columns:
            rows, columns = np.nonzero((self.grid.columns["n"] > 0) | (self.grid.columns["flagged"] > 0))
            self.dirty |= set(zip(rows.tolist(), (columns + self.grid.origin).tolist(), strict=True))

    def with_data(self) -> list[int]:
        """The civil days (ordinals) on which anything was measured."""
        c = self.grid.columns
        days = ((c["n"] > 0) | (c["flagged"] > 0)).any(axis=0) if c else np.empty(0, dtype=np.bool_)
        return list((np.flatnonzero(days) + self.grid.origin).tolist())

    def restore(self, first: int, last: int) -> None:
        """Fold the civil days first..last (ordinals) from the stored hours."""
        for a, b in runs(np.arange(first, last + 1), 1, _SPAN):
            stored = self.read(self.midnight(a) - _LEAD, self.midnight(b + 1))
            self.touch(stored.take(stored.start >= self.midnight(a)))
            changed = self._fill(sorted(self.dirty), Span(self.midnight(a), stored))
            self.demand.update(self, changed)
            self.dirty.clear()
        self.neighbours.update(self, [(row, first) for row in range(len(self.series))])

    def settle(self) -> set[tuple[int, int]]:
        """Fold what is dirty; returns every (row, day) that changed."""
        changed = self._fill(sorted(self.dirty))
        self.dirty.clear()  # not before: the store may have been away
        self._renew_sums(changed)
        self.demand.update(self, changed)
        return changed | self.neighbours.update(self, changed)

    def _fill(self, dirty: Pairs, given: Span | None = None) -> set[tuple[int, int]]:
        """Fold the dirty days; where that changes how long a series' readings stand, its other days too.

        `given`: all hours of those days, and of the hours before the first, where the caller has them.
        """
        if not dirty:
            return set()
        days = [day for _, day in dirty]
        self.grid.ensure(len(self.series), min(days), max(days))
        kept = [given] if given is not None else None
        if kept is None and len(dirty) <= _IN_MEMORY:
            kept = list(self._spans(dirty))
        for part in self._spans(dirty) if kept is None else kept:
            self._fold(self._placed(part, dirty))
        rows = np.unique([row for row, _ in dirty])
        again = self._settle_intervals(rows) - set(dirty)
        for part in self._spans(dirty) if kept is None else kept:
            self._valid_hours(self._placed(part, dirty))
            self._fold_extras(part, dirty)
        for part in self._spans(sorted(again)):
            self._valid_hours(self._placed(part, sorted(again)))
        changed = again.union(dirty)
        after = self._days_after(changed) | {p for p in again if self._extra_of(p[0])}
        for part in self._spans(sorted(after)):
            self._fold_extras(part, sorted(after))
        modulus = self._table.modulus(np.array(self.series)[rows])
        counts = ~np.isnan(modulus)
        return changed | after | self.grid.join_counters(rows[counts], modulus[counts])

    def _extra_of(self, row: int) -> bool:
        return any(self.name(row)[1] in extra.quantities for extra in EXTRAS)

    def _days_after(self, changed: set[tuple[int, int]]) -> set[tuple[int, int]]:
        """Days with data whose first running means reach back into a changed day."""
        found, c, origin = set[tuple[int, int]](), self.grid.columns, self.grid.origin
        for row, day in changed:
            after = day + 1 - origin
            there = after < self.grid.shape[1] and c["n"][row, after] > 0
            if there and (row, day + 1) not in changed and self._extra_of(row):
                found.add((row, day + 1))
        return found

    def read(self, start: int, end: int, series: IntArray | None = None) -> Partials:
        """Calibrated hours, sorted."""
        if series is not None and self._calibrations:
            series = np.union1d(series, self._calibrations.humidity_of(series))
        hours = Partials.concat(list(self._hours.read(start, end, series))).latest()
        return self._calibrations.apply(hours)

    def _spans(self, pairs: Pairs) -> Iterator[Span]:
        """All hours of the (row, day) pairs and of the hours before, and perhaps others; up to `_SPAN` days at once."""
        if not pairs:
            return
        want = np.array(pairs, dtype=np.int64)
        for first, last in runs(np.unique(want[:, 1]), 1, _SPAN):
            here = (want[:, 1] >= first) & (want[:, 1] <= last)
            series = np.array(self.series)[np.unique(want[here, 0])]
            start = self.midnight(first)
            yield Span(start, self.read(start - _LEAD, self.midnight(last + 1), series))

    def _placed(self, span: Span, pairs: Pairs | None = None) -> Placed:
        """The hours of these (row, day), each with its place; None: all hours, those before the span's days too."""
        hours = span.hours
        row, column = self.lookup()[hours.series], self.ordinals(hours.start) - self.grid.origin
        keep = (row >= 0) & (column >= 0) & (column < self.grid.shape[1])
        if pairs is not None:
            keep &= hours.start >= span.start
            known = np.zeros(self.grid.shape, dtype=np.bool_)
            want = np.array(pairs, dtype=np.int64)
            known[want[:, 0], want[:, 1] - self.grid.origin] = True
            keep[keep] = known[row[keep], column[keep]]
        return Placed(hours.take(keep), row[keep], column[keep])

    def lookup(self) -> IntArray:
        """The row of each series id, -1 where there is none."""
        lookup = np.full(len(self._table) + 1, -1, dtype=np.int64)
        lookup[self.series] = np.arange(len(self.series))
        return lookup

    def _fold(self, placed: Placed) -> None:
        """Everything of a day that does not depend on the interval."""
        hours, row, column = placed
        if not len(hours):
            return
        c = self.grid.columns
        heads, group = heads_of(row, column)
        day = regroup(hours, column, self._table.modulus(hours.series))
        at = (row[heads], column[heads])
        for name, values in (("n", day.n), ("sum", day.sum), ("flagged", day.flagged)):
            c[name][at] = values
        c["inside"][at] = np.nan_to_num(day.increase)
        c["first"][at], c["last"][at] = day.first, day.last
        c["step"][at] = typical_step(hours, group)

    def _settle_intervals(self, rows: IntArray) -> set[tuple[int, int]]:
        """A day's interval: the registry's, else the smaller of the day's and the device's median step.

        Returns the (row, day) whose interval changed.
        """
        c, changed = self.grid.columns, set()
        for row in rows.tolist():
            device, quantity = self.name(row)
            if QUANTITIES[quantity].event:
                continue
            fixed = self._fixed.get(device)
            steps = c["step"][row]
            known = steps[~np.isnan(steps)]
            typical = float(np.sort(known)[(len(known) - 1) // 2]) if len(known) else np.nan
            used = np.where(c["n"][row] > 0, fixed * 1000.0 if fixed else np.fmin(steps, typical), np.nan)
            differs = ~((used == c["interval"][row]) | (np.isnan(used) & np.isnan(c["interval"][row])))
            c["interval"][row] = used
            changed |= {(row, day) for day in (np.flatnonzero(differs) + self.grid.origin).tolist()}
        return changed

    def _valid_hours(self, placed: Placed) -> None:
        """Valid hours, their means and the covered time of the days of these hours."""
        hours, row, column = placed
        if not len(row):
            return
        c = self.grid.columns
        columns = hour_columns(hours.n, hours.mean, c["interval"][row, column], self.city.rules.hour_capture)
        heads, _ = heads_of(row, column)
        for name, values in columns.items():
            c[name][row[heads], column[heads]] = np.add.reduceat(values, heads)

    def _fold_extras(self, span: Span, pairs: Pairs) -> None:
        """The extra columns of these days, from their hours and those before."""
        quantity = {row: self.name(row)[1] for row in {row for row, _ in pairs}}
        for extra, grid, places in self.extras:
            if mine := [p for p in pairs if quantity[p[0]] in extra.quantities]:
                self._fold_extra(extra, grid, places, span, mine)

    def _fold_extra(self, extra: Extra, grid: DayGrid, places: dict[int, int], span: Span, pairs: Pairs) -> None:
        groups = np.array(pairs, dtype=np.int64)
        wanted = np.zeros(len(self.series), dtype=np.bool_)
        wanted[groups[:, 0]] = True
        placed = self._placed(span)
        keep = wanted[placed.row]
        hours, row, column = placed.hours.take(keep), placed.row[keep], placed.column[keep]
        days = column[hours.start >= span.start] + self.grid.origin
        present = (groups[:, 1] >= days.min(initial=1 << 40)) & (groups[:, 1] <= days.max(initial=-1))
        groups = groups[present]
        if not len(groups):
            return
        for r in dict.fromkeys(groups[:, 0].tolist()):
            places.setdefault(r, len(places))
        grid.ensure(len(places), int(groups[:, 1].min()), int(groups[:, 1].max()))
        block = self._block(groups, hours, row, column)
        at = (np.array([places[r] for r in groups[:, 0].tolist()]), groups[:, 1] - grid.origin)
        for name, values in extra.fold(block).items():
            grid.columns[name][at] = values

    def _block(self, groups: IntArray, hours: Partials, row: IntArray, column: IntArray) -> blocks.Block:
        interval = self.grid.columns["interval"][row, column]
        columns = hour_columns(hours.n, hours.mean, interval, self.city.rules.hour_capture)
        value = np.where(columns["hours"] > 0, hours.mean, np.nan)
        ordinals = np.unique(np.concatenate((column + self.grid.origin, groups[:, 1])))
        starts = np.array([self.midnight(int(d)) for d in ordinals])
        lengths = (np.array([self.midnight(int(d) + 1) for d in ordinals]) - starts) // HOUR
        at = np.searchsorted(ordinals, column + self.grid.origin)
        hour = (hours.start - starts[at]) // HOUR
        shifted = np.column_stack((groups[:, 0], groups[:, 1] - self.grid.origin))
        values = blocks.place(shifted, row, column, hour, lengths[at], value)
        quantity = {r: self.name(r)[1] for r in np.unique(groups[:, 0]).tolist()}
        names = [quantity[r] for r in groups[:, 0].tolist()]
        length = lengths[np.searchsorted(ordinals, groups[:, 1])]
        return blocks.Block(values, names, groups[:, 1], length, self.city.zone)

    def sums(self, first: int, last: int) -> Sums:
        """Sums of the civil days first..last per (device, quantity) with data."""
        known = self._summed.get((first, last))
        if known is None or len(known) != self.grid.shape[0]:
            for old in list(self._summed)[: 1 - _SUMMED_PERIODS]:
                del self._summed[old]
            known = self._summed[first, last] = self.grid.sums(first, last)
        return Sums(self.by_name(), known)

    def _renew_sums(self, changed: set[tuple[int, int]]) -> None:
        """Sum again the rows that changed, of the newest periods asked for; forget the others."""
        self.rolling.renew(changed)
        rows = np.array(sorted({row for row, _ in changed}), dtype=np.int64)
        self._summed = {k: table for k, table in self._summed.items() if len(table) == self.grid.shape[0]}
        for (first, last), table in self._summed.items() if len(rows) else ():
            table[rows] = self.grid.sums(first, last, rows)

    def raw_hours(self, series: list[int], start: int, end: int) -> Partials:
        """Stored hours of these series, sorted."""
        return Partials.concat(list(self._hours.read(start, end, np.array(series, dtype=np.int64)))).latest()

    def intervals(self, devices: Sequence[str], quantity: str, first: int, last: int) -> FloatArray:
        """Ms a reading of each series stood for on the days first..last, NaN where unknown; shape (devices, days)."""
        return self.grid.slice("interval", self.rows_of(tuple(devices), quantity), first, last)

    def bytes(self) -> int:
        """Bytes of all grids."""
        grids = [self.grid, self.neighbours.grid, self.demand.own, *(grid for _, grid, _ in self.extras)]
        return sum(grid.bytes() for grid in grids) + sum(table.nbytes for table in self._summed.values())

    def has(self, quantity: str, first: int, last: int) -> bool:
        """Whether any series of a quantity has data in the days first..last."""
        rows = np.array([r for r in range(len(self.series)) if self.name(r)[1] == quantity], dtype=np.int64)
        return bool(self.grid.slice("n", rows, first, last).any())

    def rows_of(self, devices: tuple[str, ...], quantity: str) -> IntArray:
        """The rows of a quantity of these devices, -1 where there is no data."""
        key = (devices, quantity, len(self.series))
        if key not in self._found_rows:
            if len(self._found_rows) > 200:
                self._found_rows.clear()
            self._found_rows[key] = np.array([self.row_of(d, quantity) for d in devices], dtype=np.int64)
        return self._found_rows[key]

    def daily(self, devices: Sequence[str], quantity: str, first: int, last: int) -> dict[str, FloatArray]:
        """Columns of the days first..last, one row a device: the sums', and those of the quantity's Extra."""
        rows = self.rows_of(tuple(devices), quantity)
        found = Lazy({n: partial(self.grid.slice, n, rows, first, last) for n in SUMMED})
        more = [(grid, places) for extra, grid, places in self.extras if quantity in extra.quantities]
        if quantity in COMPARED:
            more.append((self.neighbours.grid, self.neighbours.places))
        for grid, places in more:
            own = self._places_of(grid, places)[rows]  # row -1 finds the last, which is -1
            found.ways.update({n: partial(grid.slice, n, own, first, last) for n in grid.fills})
        return found

    def _places_of(self, grid: DayGrid, places: dict[int, int]) -> IntArray:
        """The place in `grid` of each row, -1 where it has none; one more at the end."""
        known = self._found_places.get(id(grid))
        if known is None or known[:2] != (len(places), len(self.series)):
            at = np.full(len(self.series) + 1, -1, dtype=np.int64)
            at[list(places)] = list(places.values())
            known = self._found_places[id(grid)] = (len(places), len(self.series), at)
        return known[2]
