"""Spans that are not whole days, straight from the hours: the rolling 24 hours, and hours themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from kpi_derivation.engine.days import SUMMED, hour_columns
from kpi_derivation.engine.sums import Sums
from telemetry.partials import Partials, regroup, step
from telemetry.series import FloatArray, IntArray, SeriesTable
from telemetry.windows import DAY, HOUR

if TYPE_CHECKING:
    from kpi_derivation.engine.folding import Days

_KEPT = 2  # spans whose sums are kept


class Rolling:
    """Sums and hours of any span of `days`' series; sums of the newest spans are kept and only what changed is added
    up again.
    """

    def __init__(self, days: Days, table: SeriesTable) -> None:
        self._days, self._table = days, table
        self._summed: dict[tuple[int, int], FloatArray] = {}
        self._changed: dict[tuple[int, int], set[int]] = {}

    def renew(self, changed: set[tuple[int, int]]) -> None:
        """Note the (row, day) that changed."""
        rows = {row for row, _ in changed}
        for noted in self._changed.values():
            noted.update(rows)

    def sums(self, start: int, end: int) -> Sums:
        """Sums of the hours that begin in [start, end), per (device, quantity) with data."""
        span, size = (start, end), len(self._days.series)
        known = self._summed.get(span)
        if known is None or len(known) != size:
            for old in list(self._summed)[: 1 - _KEPT or None]:
                del self._summed[old], self._changed[old]
            self._summed[span] = known = self._sum(start, end)
        elif again := self._changed[span]:
            rows = np.array(sorted(again), dtype=np.int64)
            known[rows] = self._sum(start, end, rows)[rows]
        self._changed[span] = set()
        return Sums(self._days.by_name(), known)

    def _sum(self, start: int, end: int, only: IntArray | None = None) -> FloatArray:
        """Shape (rows, SUMMED + 1), as `DayGrid.sums`; rows that are not in `only` stay 0."""
        days = self._days
        out = np.zeros((len(days.series), len(SUMMED) + 1))
        hours, rows = self._hours(start - DAY, end, None if only is None else np.array(days.series)[only])
        before, hours, rows = (
            hours.take(hours.start < start),
            hours.take(hours.start >= start),
            rows[hours.start >= start],
        )
        if not len(hours):
            return out
        interval = self._latest_interval(rows)
        whole = self._whole(hours)
        at = days.lookup()[whole.series]
        columns = hour_columns(hours.n, hours.mean, interval, days.city.rules.hour_capture)
        for i, name in enumerate(SUMMED):
            if name in columns:
                out[:, i] = np.bincount(rows, weights=columns[name], minlength=len(out))
            else:
                out[at, i] = np.nan_to_num(getattr(whole, name))
        out[at, SUMMED.index("increase")] += self._steps_into(whole, before)
        np.maximum.at(out[:, -1], rows, np.nan_to_num(interval))
        return out

    def _whole(self, hours: Partials) -> Partials:
        """All hours of each series as one."""
        return regroup(hours, np.zeros(len(hours), dtype=np.int64), self._table.modulus(hours.series))

    def _steps_into(self, whole: Partials, before: Partials) -> FloatArray:
        """The step of each counter from its last reading of the day before the span into the span, 0 where none."""
        earlier = self._whole(before.take(before.n > 0))
        if not len(earlier):
            return np.zeros(len(whole))
        place = np.minimum(np.searchsorted(earlier.series, whole.series), len(earlier) - 1)
        modulus = self._table.modulus(whole.series)
        counts = ~np.isnan(modulus) & (earlier.series[place] == whole.series) & (whole.n > 0)
        return np.where(counts, step(earlier.last[place], whole.first, modulus), 0.0)

    def _hours(self, start: int, end: int, series: IntArray | None) -> tuple[Partials, IntArray]:
        """Hours of these series (None: of all), calibrated, and the row of each."""
        hours = self._days.read(start, end, series)
        rows = self._days.lookup()[hours.series]
        keep = rows >= 0 if series is None else (rows >= 0) & np.isin(hours.series, series)
        return hours.take(keep), rows[keep]

    def hourly(self, devices: Sequence[str], quantity: str, start: int, end: int) -> FloatArray:
        """Means of the valid hours that begin in [start, end), NaN elsewhere; shape (devices, hours)."""
        out = np.full((len(devices), (end - start) // HOUR), np.nan)
        rows = self._days.rows_of(tuple(devices), quantity)
        mine = np.flatnonzero(rows >= 0)
        if not len(mine):
            return out
        place = np.full(len(self._days.series), -1, dtype=np.int64)
        place[rows[mine]] = mine
        hours, row = self._hours(start, end, np.array(self._days.series)[rows[mine]])
        capture = self._days.city.rules.hour_capture
        ok = hour_columns(hours.n, hours.mean, self._latest_interval(row), capture)["hours"] > 0
        out[place[row[ok]], ((hours.start - start) // HOUR)[ok]] = hours.mean[ok]
        return out

    def _latest_interval(self, rows: IntArray) -> FloatArray:
        """The interval of each row's newest day that has one."""
        grid = self._days.grid.columns.get("interval", np.empty((0, 0)))
        newest = np.full(len(self._days.series), np.nan)
        some = np.unique(rows)
        if len(some) and grid.shape[1]:
            back = grid[some, ::-1]
            newest[some] = back[np.arange(len(some)), np.argmax(~np.isnan(back), axis=1)]
        return newest[rows]
