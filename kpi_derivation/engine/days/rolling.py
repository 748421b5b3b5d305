"""Spans that are not whole days, straight from the hours: the rolling 24 hours, and hours themselves. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kpi_derivation.engine.days.grid import SUMMED, DayGrid
from kpi_derivation.engine.days.hours import Hours
from kpi_derivation.engine.days.series_rows import SeriesRows
from kpi_derivation.engine.row_days import ByRow, RowDays
from kpi_derivation.engine.sums import Sums
from kpi_derivation.rules.metering.meter_changes import connection_limits
from kpi_derivation.rules.metering.read_time import read_time
from kpi_derivation.rules.metering.register_days import energies_between
from kpi_derivation.rules.valid_hours import hour_columns
from registry.city import City
from telemetry.partials import Partials, regroup
from telemetry.series import FloatArray, IntArray, SeriesTable
from telemetry.windows import DAY, HOUR

_KEPT = 2  # spans whose sums are kept


class Rolling:
    """Sums and hours of any span; sums of the newest spans are kept and only what changed is added up again.

    `main`: the grid of all series, for their intervals.
    """

    def __init__(self, rows: SeriesRows, hours: Hours, main: DayGrid, table: SeriesTable, city: City) -> None:
        self._rows, self._hours, self._main, self._table = rows, hours, main, table
        self._capture, limits = city.rules.hour_capture, connection_limits(city)
        self._limits = ByRow(rows, lambda *name: limits.get(name, np.nan))
        self._summed: dict[tuple[int, int], FloatArray] = {}
        self._changed: dict[tuple[int, int], set[int]] = {}

    def renew(self, changed: RowDays) -> None:
        """Note the (row, day) that changed."""
        rows = changed.rows.tolist() if self._changed else ()
        for noted in self._changed.values():
            noted.update(rows)

    def sums(self, start: int, end: int) -> Sums:
        """Sums of the hours that begin in [start, end)."""
        span, size = (start, end), len(self._rows)
        known = self._summed.get(span)
        if known is None:
            for old in list(self._summed)[: 1 - _KEPT or None]:
                del self._summed[old], self._changed[old]
            known = self._sum(start, end)
        else:
            again = self._changed[span].union(range(len(known), size))
            if len(known) < size:
                known = np.concatenate((known, np.zeros((size - len(known), known.shape[1]))))
            if again:
                rows = np.array(sorted(again), dtype=np.int64)
                known[rows] = self._sum(start, end, rows)[rows]
        self._summed[span], self._changed[span] = known, set()
        return Sums(self._rows.places, lambda quantity: known[self._rows.with_quantity(quantity)])

    def _sum(self, start: int, end: int, only: IntArray | None = None) -> FloatArray:
        """Shape (rows, SUMMED + 1), as `DayGrid.sums`; rows that are not in `only` stay 0."""
        out = np.zeros((len(self._rows), len(SUMMED) + 1))
        every, places = self._placed(start - DAY, end + HOUR, None if only is None else self._rows.ids(only))
        within = (every.start >= start) & (every.start < end)
        hours, rows = every.take(within), places[within]
        if not len(hours):
            return out
        interval = self._latest_interval(rows)
        whole = self._whole(hours)
        at = self._rows.lookup()[whole.series]
        columns = hour_columns(hours.n, hours.mean, interval, self._capture)
        for i, name in enumerate(SUMMED):
            if name in columns:
                out[:, i] = np.bincount(rows, weights=columns[name], minlength=len(out))
            else:
                out[at, i] = np.nan_to_num(getattr(whole, name))
        covered, times = SUMMED.index("covered"), self._read_time(hours, rows, interval, len(out))
        out[:, covered] = np.where(np.isnan(times), out[:, covered], times)
        registers = ~np.isnan(self._table.modulus(whole.series))
        out[at[registers], SUMMED.index("increase")] = self._energies(every, whole.series[registers], start, end)
        np.maximum.at(out[:, -1], rows, np.nan_to_num(interval))
        return out

    def _read_time(self, hours: Partials, rows: IntArray, interval: FloatArray, size: int) -> FloatArray:
        """Per row the time between the readings of a register, as in a day; NaN for others."""
        order = np.lexsort((hours.start, rows))
        order = order[~np.isnan(self._table.modulus(hours.series[order]))]
        return read_time(hours.take(order), interval[order], rows[order], size)

    def _whole(self, hours: Partials) -> Partials:
        """All hours of each series as one."""
        return regroup(hours, np.zeros(len(hours), dtype=np.int64), self._table.modulus(hours.series))

    def _energies(self, hours: Partials, series: IntArray, start: int, end: int) -> FloatArray:
        """What the registers of these series counted from `start` to `end`, by the hours from a day before on."""
        if not len(series):
            return np.empty(0)
        mine = hours.where((hours.n > 0) & np.isin(hours.series, series))
        limit = self._limits.of(self._rows.lookup()[series])
        place = np.searchsorted(series, mine.series)
        return energies_between(mine, place, self._table.modulus(series), np.array([start, end]), limit)

    def _placed(self, start: int, end: int, series: IntArray | None) -> tuple[Partials, IntArray]:
        """Calibrated hours of these series (None: of all), and the row of each."""
        hours = self._hours.read(start, end, series)
        rows = self._rows.lookup()[hours.series]
        keep = rows >= 0 if series is None else (rows >= 0) & np.isin(hours.series, series)
        return hours.where(keep), rows[keep]

    def hourly(self, devices: Sequence[str], quantity: str, start: int, end: int) -> FloatArray:
        """Means of the valid hours that begin in [start, end), NaN elsewhere; shape (devices, hours)."""
        out = np.full((len(devices), (end - start) // HOUR), np.nan)
        rows = self._rows.of(tuple(devices), quantity)
        mine = np.flatnonzero(rows >= 0)
        if not len(mine):
            return out
        place = np.full(len(self._rows), -1, dtype=np.int64)
        place[rows[mine]] = mine
        hours, row = self._placed(start, end, self._rows.ids(rows[mine]))
        ok = hour_columns(hours.n, hours.mean, self._latest_interval(row), self._capture)["hours"] > 0
        out[place[row[ok]], ((hours.start - start) // HOUR)[ok]] = hours.mean[ok]
        return out

    def _latest_interval(self, rows: IntArray) -> FloatArray:
        """The interval of each row's newest day that has one."""
        grid = self._main.columns.get("interval", np.empty((0, 0)))
        newest = np.full(len(self._rows), np.nan)
        some = np.unique(rows)
        if len(some) and grid.shape[1]:
            back = grid[some, ::-1]
            newest[some] = back[np.arange(len(some)), np.argmax(~np.isnan(back), axis=1)]
        return newest[rows]
