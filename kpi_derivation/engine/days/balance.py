"""Energy of every hour of the meters of use, of generation and of export, for balances between them. Pure.

What one side lacks in an hour must not be set against what the others counted in it. So the energies are kept by the
hour, with how many of a side's meters are whole in it, and a derivation sums the hours that it can use.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from kpi_derivation.engine.days.civil import CivilDays
from kpi_derivation.engine.days.columns import DayColumns
from kpi_derivation.engine.days.hour_energy import SLOW_REACH, Found, Registers, hour_energies
from kpi_derivation.engine.days.hours import Hours
from kpi_derivation.engine.days.series_rows import SeriesRows
from kpi_derivation.engine.row_days import RowDays
from kpi_derivation.engine.spans import runs
from kpi_derivation.rules.metering.register_days import SLOW
from registry.city import City
from registry.service_times import ALWAYS, service_time
from telemetry.series import FloatArray, SeriesTable
from telemetry.windows import HOUR

Meters = tuple[tuple[str, str], ...]  # device and quantity of each
_CELLS = 2_000_000  # hours of meters that are laid out at once
_KEPT = 4  # choices of meters whose hours are kept


class Balance(NamedTuple):
    """Columns of shape (sides, hours): kWh of the whole meters, how many are whole, and how many are in service."""

    kwh: FloatArray
    whole: FloatArray
    due: FloatArray


class BalanceHours:
    """The hours of one city that were asked for; those near a day that changed are made again."""

    def __init__(
        self, city: City, table: SeriesTable, rows: SeriesRows, days: CivilDays, hours: Hours, columns: DayColumns
    ) -> None:
        self._rows, self._days, self._hours, self._columns = rows, days, hours, columns
        self._registers = Registers(city, table)
        self._service = {d.id: service_time(d, city.zone) for d in city.device if d.since or d.until}
        self._known: dict[tuple[Meters, ...], dict[int, Balance]] = {}  # by civil day (ordinal)

    def renew(self, changed: RowDays) -> None:
        """Forget the hours of these (row, day), and of the days beside them: steps of registers reach into these."""
        near = {day + shift for day in changed.days for shift in (-1, 0, 1)} if self._known else set()
        for known in self._known.values():
            for day in near:
                known.pop(day, None)

    def between(self, sides: tuple[Meters, ...], start: int, end: int) -> Balance:
        """The hours that begin in [start, end), of the meters of each side."""
        if end <= start:
            return Balance(*(np.zeros((len(sides), 0)) for _ in Balance._fields))
        known = self._known.pop(sides, {})
        self._known = dict(list(self._known.items())[-_KEPT + 1 :]) | {sides: known}
        first, last = self._days.ordinals(np.array([start, end - 1])).tolist()
        lacking = np.array([d for d in range(first, last + 1) if d not in known], dtype=np.int64)
        meters = sum(len(side) for side in sides)
        for a, b in runs(lacking, 1, max(1, _CELLS // (25 * max(meters, 1)))):
            known.update(self._made(sides, a, b))
        begins = self._days.midnight(first)
        found = [known[d] for d in range(first, last + 1)]
        part = slice((start - begins) // HOUR, (end - begins) // HOUR)
        return Balance(*(np.concatenate(column, axis=1)[:, part] for column in zip(*found, strict=True)))

    def _made(self, sides: tuple[Meters, ...], first: int, last: int) -> dict[int, Balance]:
        start, end = self._days.midnight(first), self._days.midnight(last + 1)
        of_each = [self._side(side, first, last, start, end) for side in sides]
        columns = [np.stack(column) for column in zip(*of_each, strict=True)]
        bounds = [(self._days.midnight(day) - start) // HOUR for day in range(first, last + 2)]
        return {
            first + n: Balance(*(column[:, a:b].copy() for column in columns))
            for n, (a, b) in enumerate(pairwise(bounds))
        }

    def _side(
        self, meters: Meters, first: int, last: int, start: int, end: int
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        begins = start + HOUR * np.arange((end - start) // HOUR)
        kwh, whole, due = (np.zeros(len(begins)) for _ in range(3))
        if meters:
            since, until = (
                np.array(times)[:, None]
                for times in zip(*(self._service.get(d, ALWAYS) for d, _ in meters), strict=True)
            )
            there = (begins >= since) & (begins + HOUR <= until)
            energy = self._energies(meters, first, last, start, end)
            known = there & ~np.isnan(energy)
            kwh, whole, due = np.where(known, energy, 0.0).sum(axis=0), known.sum(axis=0) * 1.0, there.sum(axis=0) * 1.0
        return kwh, whole, due

    def _energies(self, meters: Sequence[tuple[str, str]], first: int, last: int, start: int, end: int) -> FloatArray:
        """kWh of each meter in each hour, NaN where it is not whole."""
        out = np.full((len(meters), (end - start) // HOUR), np.nan)
        rows = np.array([self._rows.find(*meter) for meter in meters], dtype=np.int64)
        with_data = np.flatnonzero(rows >= 0)
        interval = np.full(len(meters), np.nan)
        interval[with_data] = np.fmax.reduce(
            self._columns.main.slice("interval", rows[with_data], first, last), axis=1, initial=-np.inf
        )
        interval[np.isinf(interval)] = np.nan
        slow = interval > SLOW
        for mine, reach in ((with_data[~slow[with_data]], 2 * HOUR), (with_data[slow[with_data]], SLOW_REACH)):
            if len(mine):
                ids = self._rows.ids(rows[mine])
                hours = self._hours.raw(start - reach, end + reach, ids)
                found = Found([meters[i] for i in mine.tolist()], ids, interval[mine], hours)
                out[mine] = hour_energies(found, self._registers, start, out.shape[1])
        return out
