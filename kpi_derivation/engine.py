"""The KPI engine: windows become hours, hours days, days periods; only what is dirty is folded again.

    windows --absorb--> hours (the caller stores them) --evaluate--> days --> period sums --> derivations --> values

The engine computes from what the store holds (`History`), so a restart, a repetition or another order of arrival
gives the same bits. It does no I/O of its own and never asks for the time.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Literal, NamedTuple, Protocol

import numpy as np

from kpi_derivation.catalogue import DERIVATIONS, Derivation
from kpi_derivation.days import SUMMED, DayGrid, hour_columns, typical_step
from kpi_derivation.recent import Recent
from kpi_derivation.values import kpi_value
from kpi_derivation.view import View
from telemetry.city import City
from telemetry.kpi_value import KpiValue
from telemetry.partials import Partials, regroup
from telemetry.periods import CALENDAR, Period, calendar_period, hour_phase, local_date, midnight
from telemetry.quantities import QUANTITIES
from telemetry.series import FloatArray, IntArray, SeriesTable
from telemetry.windows import DAY, HOUR, window_start

_SPAN = 32  # days whose hours are read at once


class History(Protocol):
    """What the engine reads back: the store's partials."""

    def partials(
        self,
        city: str,
        level: Literal["window", "hour"],
        start: int,
        end: int,
        table: SeriesTable,
        series: IntArray | None = None,
    ) -> Iterator[Partials]:
        """Partials of a city with start in [start, end)."""


class _HourCounts(NamedTuple):
    """Grid row and column of each hour, its count and mean."""

    row: IntArray
    column: IntArray
    n: IntArray
    mean: FloatArray


class Engine:
    """The KPIs of one city. `table` names the series; `history` holds its windows and hours."""

    def __init__(self, city: City, table: SeriesTable, history: History) -> None:
        self.city, self._table = city, table
        self._phase = hour_phase(city.zone)
        self._windows = Recent(history, city.id, "window", table, keep=2 * HOUR)
        self._hours = Recent(history, city.id, "hour", table, keep=2 * DAY)
        self._grid = DayGrid()
        self._rows: dict[int, int] = {}
        self._series: list[int] = []
        self._fixed = {d.id: d.interval_s for d in city.device if d.interval_s}
        self._wanted = {d.id: d for d in city.device}
        self._quantities = {q for d in DERIVATIONS.values() for q in d.quantities}
        self._dirty: set[tuple[int, int]] = set()
        self._unproven: set[tuple[int, int]] = set()  # days restored whose values may not have been stored
        self._clock = 0

    def restore(self, hours: tuple[int, int], newest_window: int) -> None:
        """Rebuild the days from the stored hours: first and last start of those, start of the newest window.

        The next `evaluate` gives the values of all of them: whoever stopped may not have got round to storing them.
        """
        self._windows.start(newest_window)
        self._hours.start(hours[1])
        zone = self.city.zone
        days = np.arange(local_date(hours[0], zone).toordinal(), local_date(hours[1], zone).toordinal() + 1)
        for first, last in _runs(days, 1, _SPAN):
            stored = Partials.concat(list(self._hours.read(*self._between(first, last)))).latest()
            self._touch(stored)
            self._fill(sorted(self._dirty), stored)
            self._unproven |= self._dirty
            self._dirty.clear()

    def _between(self, first: int, last: int) -> tuple[int, int]:
        """UTC ms at which the civil days first..last (ordinals) begin and end."""
        zone = self.city.zone
        return midnight(date.fromordinal(first), zone), midnight(date.fromordinal(last + 1), zone)

    def absorb(self, windows: Partials) -> Partials:
        """Take stored windows; returns the hours they change, for the caller to store before `evaluate`."""
        if not len(windows):
            return windows
        self._windows.add(windows)
        hour = window_start(windows.start, HOUR, self._phase)
        pairs = np.unique(np.stack((windows.series, hour), axis=1), axis=0)
        found = []
        for first, last in _runs(np.unique(hour), HOUR):
            here = pairs[(pairs[:, 1] >= first) & (pairs[:, 1] <= last)]
            for part in self._windows.read(first, last + HOUR, np.unique(here[:, 0])):
                found.append(_only(part, window_start(part.start, HOUR, self._phase), here))
        base = Partials.concat(found).latest()
        hours = regroup(base, window_start(base.start, HOUR, self._phase), self._table.modulus(base.series))
        self._windows.trim()
        self._hours.add(hours)
        self._touch(hours)
        return hours

    def evaluate(self, now: int) -> list[KpiValue]:
        """The values of every KPI and period that changed data, or the passing of time, touches. `now`: UTC ms."""
        dirty, self._dirty = sorted(self._dirty), set()
        changed = self._fill(dirty)
        self._hours.trim()
        days: dict[int, set[str]] = {}
        for row, day in sorted(changed):
            days.setdefault(day, set()).add(self._table[self._series[row]].quantity)
        self._unproven = set()
        periods = self._periods(days, now)
        values: list[KpiValue] = []
        for period, quantities in periods.items():
            touched = [d for d in DERIVATIONS.values() if _touches(d, quantities)]
            values += self.derive(period, now, touched)
        self._clock = now
        return values

    def touch_everything(self) -> None:
        """Mark every day with data dirty, as after a changed city file."""
        if self._grid.columns:
            rows, columns = np.nonzero((self._grid.columns["n"] > 0) | (self._grid.columns["flagged"] > 0))
            self._dirty |= set(zip(rows.tolist(), (columns + self._grid.origin).tolist(), strict=True))

    def derive(self, period: Period, now: int, derivations: list[Derivation] | None = None) -> list[KpiValue]:
        """The values of one period from what the engine knows, whether dirty or not."""
        view = View(self.city, period, self._expected(period, now), self._sums(period))
        chosen = DERIVATIONS.values() if derivations is None else derivations
        return [kpi_value(view, d, part, now) for d in chosen for part in d.derive(view)]

    def relevant(self, derivation: Derivation) -> bool:
        """Whether the city has a device that could feed the KPI."""
        return any(d.kind in derivation.kinds for d in self.city.device)

    def _expected(self, period: Period, now: int) -> float:
        """Ms of the period that have passed, whole hours."""
        return float(max(min(period.end, window_start(now, HOUR, self._phase)) - period.start, 0))

    def _touch(self, hours: Partials) -> None:
        """Mark the days of these hours dirty, of series that some KPI of a registered device needs."""
        if not len(hours):
            return
        pairs = np.unique(np.stack((hours.series, self._ordinals(hours.start)), axis=1), axis=0)
        for series, day in pairs.tolist():
            row = self._row(series)
            if row is not None:
                self._dirty.add((row, day))

    def _row(self, series: int) -> int | None:
        row = self._rows.get(series)
        if row is None:
            name = self._table[series]
            if name.city != self.city.id or name.quantity not in self._quantities or name.device not in self._wanted:
                return None
            row = self._rows[series] = len(self._series)
            self._series.append(series)
        return row

    def _ordinals(self, t: IntArray) -> IntArray:
        """Civil day, as proleptic ordinal, of each time."""
        if not len(t):
            return t
        first, last = local_date(int(t.min()), self.city.zone), local_date(int(t.max()), self.city.zone)
        bounds = [midnight(date.fromordinal(o), self.city.zone) for o in range(first.toordinal(), last.toordinal() + 1)]
        return np.searchsorted(np.array(bounds), t, side="right") - 1 + first.toordinal()

    def _fill(self, dirty: list[tuple[int, int]], hours: Partials | None = None) -> set[tuple[int, int]]:
        """Fold the dirty days again; where that changes how long a series' readings stand, its other days too.

        `hours`: all hours of those days where the caller has them, sorted. Returns all (row, day) that changed.
        """
        if not dirty:
            return set()
        days = [day for _, day in dirty]
        self._grid.ensure(len(self._series), min(days), max(days))
        folded = self._fold_days(dirty, hours)
        rows = np.unique([row for row, _ in dirty])
        again = self._settle_intervals(rows) - set(dirty)
        for counts in folded:
            self._valid_hours(counts)
        for part, row, column in self._hours_of(sorted(again)):
            self._valid_hours(_HourCounts(row, column, part.n, part.mean))
        counters = rows[~np.isnan(self._table.modulus(np.array(self._series)[rows]))]
        return again.union(dirty, self._grid.join_counters(counters))

    def _hours_of(
        self, pairs: list[tuple[int, int]], given: Partials | None = None
    ) -> Iterator[tuple[Partials, IntArray, IntArray]]:
        """Hours of these (row, day), in spans: partials, and the grid row and column of each."""
        if not pairs:
            return
        want = np.array(pairs, dtype=np.int64)
        lookup = np.full(len(self._table), -1, dtype=np.int64)
        lookup[self._series] = np.arange(len(self._series))
        known = np.zeros(self._grid.shape, dtype=np.bool_)
        known[want[:, 0], want[:, 1] - self._grid.origin] = True
        for hours in [given] if given is not None else self._read_days(want):
            hours = hours.take(lookup[hours.series] >= 0)  # noqa: PLW2901 - narrowed
            row, column = lookup[hours.series], self._ordinals(hours.start) - self._grid.origin
            keep = known[row, column]
            yield hours.take(keep), row[keep], column[keep]

    def _read_days(self, want: IntArray) -> Iterator[Partials]:
        """All hours of the (row, day) pairs, and perhaps of others, sorted; up to `_SPAN` days at once."""
        for first, last in _runs(np.unique(want[:, 1]), 1, _SPAN):
            here = (want[:, 1] >= first) & (want[:, 1] <= last)
            series = np.array(self._series)[np.unique(want[here, 0])]
            yield Partials.concat(list(self._hours.read(*self._between(first, last), series))).latest()

    def _fold_days(self, pairs: list[tuple[int, int]], given: Partials | None) -> list[_HourCounts]:
        """Everything of a day that does not depend on the interval; returns what the rest needs of the hours."""
        c, kept = self._grid.columns, []
        for hours, row, column in self._hours_of(pairs, given):
            if not len(hours):
                continue
            heads, group = _heads(row, column)
            day = regroup(hours, column, self._table.modulus(hours.series))
            at = (row[heads], column[heads])
            for name, values in (("n", day.n), ("sum", day.sum), ("flagged", day.flagged)):
                c[name][at] = values
            c["inside"][at] = np.nan_to_num(day.increase)
            c["first"][at], c["last"][at] = day.first, day.last
            c["step"][at] = typical_step(hours, group)
            kept.append(_HourCounts(row, column, hours.n, hours.mean))
        return kept

    def _settle_intervals(self, rows: IntArray) -> set[tuple[int, int]]:
        """A day's interval: the registry's, else the smaller of the day's and the device's median step.

        Returns the (row, day) whose interval changed.
        """
        c, changed = self._grid.columns, set()
        for row in rows.tolist():
            if QUANTITIES[self._table[self._series[row]].quantity].event:
                continue
            fixed = self._fixed.get(self._table[self._series[row]].device)
            steps = c["step"][row]
            known = steps[~np.isnan(steps)]
            typical = float(np.sort(known)[(len(known) - 1) // 2]) if len(known) else np.nan
            used = np.where(c["n"][row] > 0, fixed * 1000.0 if fixed else np.fmin(steps, typical), np.nan)
            differs = ~((used == c["interval"][row]) | (np.isnan(used) & np.isnan(c["interval"][row])))
            c["interval"][row] = used
            changed |= {(row, day) for day in (np.flatnonzero(differs) + self._grid.origin).tolist()}
        return changed

    def _valid_hours(self, h: _HourCounts) -> None:
        """Valid hours, their means and the covered time of the days of these hours."""
        if not len(h.row):
            return
        c = self._grid.columns
        columns = hour_columns(h.n, h.mean, c["interval"][h.row, h.column], self.city.rules.hour_capture)
        heads, _ = _heads(h.row, h.column)
        for name, values in columns.items():
            c[name][h.row[heads], h.column[heads]] = np.add.reduceat(values, heads)

    def _sums(self, period: Period) -> dict[tuple[str, str], FloatArray]:
        """The period's sums per (device, quantity) with data."""
        if period.kind == "24h":
            return self._sums_of_hours(period)
        first = local_date(period.start, self.city.zone).toordinal()
        last = local_date(period.end - 1, self.city.zone).toordinal()
        return self._named(self._grid.sums(first, last))

    def _named(self, sums: FloatArray) -> dict[tuple[str, str], FloatArray]:
        names = [(self._table[s].device, self._table[s].quantity) for s in self._series]
        seen = (sums[: len(names), 0] > 0) | (sums[: len(names), 6] > 0)
        return {names[i]: sums[i] for i in np.flatnonzero(seen).tolist()}

    def _sums_of_hours(self, period: Period) -> dict[tuple[str, str], FloatArray]:
        """Sums straight from the hours, for spans that are not whole days."""
        hours = Partials.concat(list(self._hours.read(period.start, period.end))).latest()
        rows = np.array([self._rows.get(s, -1) for s in hours.series.tolist()], dtype=np.int64)
        hours, rows = hours.take(rows >= 0), rows[rows >= 0]
        out = np.zeros((len(self._series), len(SUMMED) + 1))
        if len(hours):
            interval = self._latest_interval(rows)
            whole = regroup(hours, np.zeros(len(hours), dtype=np.int64), self._table.modulus(hours.series))
            at = np.array([self._rows[s] for s in whole.series.tolist()])
            columns = hour_columns(hours.n, hours.mean, interval, self.city.rules.hour_capture)
            for i, name in enumerate(SUMMED):
                if name in columns:
                    out[:, i] = np.bincount(rows, weights=columns[name], minlength=len(out))
                else:
                    out[at, i] = np.nan_to_num(getattr(whole, name))
            np.maximum.at(out[:, -1], rows, np.nan_to_num(interval))
        return self._named(out)

    def _latest_interval(self, rows: IntArray) -> FloatArray:
        """The interval of each row's newest day that has one."""
        grid = self._grid.columns["interval"]
        newest = np.full(len(self._series), np.nan)
        for row in np.unique(rows).tolist():
            known = grid[row][~np.isnan(grid[row])]
            newest[row] = known[-1] if len(known) else np.nan
        return newest[rows]

    def _periods(self, days: dict[int, set[str]], now: int) -> dict[Period, set[str] | None]:
        """Periods to evaluate and the quantities that changed in them; None stands for all."""
        zone, found = self.city.zone, dict[Period, set[str] | None]()
        for day, quantities in sorted(days.items()):
            for kind in CALENDAR:
                period = calendar_period(kind, date.fromordinal(day), zone)
                found[period] = (found.get(period) or set()) | quantities
        changed = set().union(*days.values()) if days else set()
        for period in self.rolling(now):
            if any(midnight(date.fromordinal(d + 1), zone) > period.start for d in days):
                found[period] = changed
        if window_start(now, HOUR, self._phase) != window_start(self._clock, HOUR, self._phase) and self._series:
            found.update(dict.fromkeys(self._passing(now)))
        return found

    def _passing(self, now: int) -> list[Period]:
        """Periods whose coverage or status changes as time passes: the open ones and those about to become final."""
        settle = round(self.city.rules.final_after_h * HOUR)
        today = local_date(now, self.city.zone).toordinal()
        if not self._grid.shape[1] or today - (self._grid.origin + self._grid.shape[1]) > 400:
            return []  # only old data: nothing of it is open
        moments = (now, now - DAY, now - settle - HOUR)
        days = [local_date(t, self.city.zone) for t in moments]
        return [calendar_period(k, d, self.city.zone) for d in days for k in CALENDAR] + self.rolling(now)

    def rolling(self, now: int) -> list[Period]:
        """The rolling 24 hours (up to the end of the running hour) and 365 days (up to the end of today)."""
        zone = self.city.zone
        end = window_start(now, HOUR, self._phase) + HOUR
        today = local_date(now, zone)
        year = midnight(date.fromordinal(today.toordinal() - 364), zone)
        tomorrow = midnight(date.fromordinal(today.toordinal() + 1), zone)
        return [Period("24h", "24h", end - DAY, end), Period("365d", "365d", year, tomorrow)]


def _touches(derivation: Derivation, quantities: set[str] | None) -> bool:
    """Whether a change of these quantities (None: of all) may change the KPI; registry KPIs come with any change."""
    return quantities is None or not derivation.quantities or bool(quantities & set(derivation.quantities))


def _runs(values: IntArray, stride: int, longest: int = 1 << 40) -> Iterator[tuple[int, int]]:
    """First and last of each run of sorted values that follow each other by `stride`, at most `longest` values."""
    start = 0
    for i in range(1, len(values) + 1):
        if i == len(values) or values[i] - values[i - 1] != stride or i - start >= longest:
            yield int(values[start]), int(values[i - 1])
            start = i


def _only(part: Partials, hour: IntArray, pairs: IntArray) -> Partials:
    """The rows of `part` whose (series, hour) is one of `pairs` (sorted, unique)."""
    size = int(max(part.series.max(initial=0), pairs[:, 0].max(initial=0))) + 1
    wanted = np.sort(pairs[:, 1] * size + pairs[:, 0])
    mine = hour * size + part.series
    place = np.minimum(np.searchsorted(wanted, mine), len(wanted) - 1)
    return part.take(wanted[place] == mine)


def _heads(row: IntArray, column: IntArray) -> tuple[IntArray, IntArray]:
    """First element of each run of equal (row, column), and the run's number for every element."""
    new = np.concatenate(([True], (row[1:] != row[:-1]) | (column[1:] != column[:-1])))
    return np.flatnonzero(new), np.cumsum(new) - 1
