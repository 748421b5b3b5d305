"""Spans that are not whole days, straight from the hours: the rolling 24 hours, and hours themselves. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

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
from telemetry.series import BoolArray, FloatArray, IntArray, SeriesTable
from telemetry.windows import DAY, HOUR

_AT_ONCE = 2000  # rows of which the hours are read at once: up to two days of them, and of their quarters


class Rolling:
    """Sums and hours of any span; sums of the newest span are kept and only what changed is added up again.

    `main`: the grid of all series, for their intervals.
    """

    def __init__(self, rows: SeriesRows, hours: Hours, main: DayGrid, table: SeriesTable, city: City) -> None:
        self._rows, self._hours, self._main, self._table = rows, hours, main, table
        self._capture, limits = city.rules.hour_capture, connection_limits(city)
        self._limits = ByRow(rows, lambda *name: limits.get(name, np.nan), None if limits else np.nan)
        self._span = (0, 0)
        self._summed: dict[str, FloatArray] = {}  # by quantity; those that were read
        self._changed: BoolArray = np.empty(0, dtype=np.bool_)  # of each row, whether its sums are to be made again

    def renew(self, changed: RowDays) -> None:
        """Note the (row, day) that changed."""
        if self._summed:
            self._make_room()
            self._changed[changed.row] = True

    def _make_room(self) -> None:
        if (more := len(self._rows) - len(self._changed)) > 0:
            self._changed = np.append(self._changed, np.zeros(more + more // 4, dtype=np.bool_))

    def sums(self, start: int, end: int) -> Sums:
        """Sums of the hours that begin in [start, end)."""
        if (start, end) != self._span:
            self._span, self._summed = (start, end), {}
        return Sums(self._rows.places, partial(self._sums_of, self._summed, start, end))

    def _sums_of(self, summed: dict[str, FloatArray], start: int, end: int, quantity: str) -> FloatArray:
        rows = self._rows.with_quantity(quantity)
        known = summed.get(quantity, np.zeros((0, len(SUMMED) + 1)))
        self._make_room()
        new = np.arange(len(known), len(rows))
        again = np.append(np.flatnonzero(self._changed[rows[: len(known)]]), new)
        if len(new):
            known = np.concatenate((known, np.zeros((len(new), known.shape[1]))))
        step = _AT_ONCE if self._hours.at_hand_from(start - DAY) else max(len(again), 1)
        for at in range(0, len(again), step):
            some = again[at : at + step]
            known[some] = self._sum(start, end, rows[some])
        if summed is self._summed:
            self._changed[rows] = False
        summed[quantity] = known
        return known

    def _sum(self, start: int, end: int, mine: IntArray) -> FloatArray:
        """Of these rows, ascending; shape (rows, SUMMED + 1), as `DayGrid.sums`."""
        out = np.zeros((len(mine), len(SUMMED) + 1))
        series = self._rows.ids(mine)
        # What a register counted at the ends depends on its readings outside; of others, as of quarters, nothing does.
        around = not np.isnan(self._table.modulus(series)).all()
        every, rows = self._placed(*((start - DAY, end + HOUR) if around else (start, end)), series)
        within = (every.start >= start) & (every.start < end)
        hours, rows = every.take(within), rows[within]
        if not len(hours):
            return out
        interval, places = self._latest_interval(rows), np.searchsorted(mine, rows)
        whole = self._whole(hours)
        at = np.searchsorted(mine, self._rows.of_known(whole.series))
        columns = hour_columns(hours.n, hours.mean, interval, self._capture)
        for i, name in enumerate(SUMMED):
            if name in columns:
                out[:, i] = np.bincount(places, weights=columns[name], minlength=len(out))
            else:
                out[at, i] = np.nan_to_num(getattr(whole, name))
        covered, times = SUMMED.index("covered"), self._read_time(hours, places, interval, len(out))
        out[:, covered] = np.where(np.isnan(times), out[:, covered], times)
        registers = ~np.isnan(self._table.modulus(whole.series))
        out[at[registers], SUMMED.index("increase")] = self._energies(every, whole.series[registers], start, end)
        np.maximum.at(out[:, -1], places, np.nan_to_num(interval))
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
        limit = self._limits.of(self._rows.of_known(series))
        place = np.searchsorted(series, mine.series)
        return energies_between(mine, place, self._table.modulus(series), np.array([start, end]), limit)

    def _placed(self, start: int, end: int, series: IntArray) -> tuple[Partials, IntArray]:
        """Calibrated hours of these series, and the row of each."""
        hours = self._hours.read(start, end, series)
        rows = self._rows.of_known(hours.series)
        keep = (rows >= 0) & np.isin(hours.series, series)
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
