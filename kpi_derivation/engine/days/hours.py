"""Stored hours as the engine folds them: calibrated, and read once for all dirty days of a span. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np

from kpi_derivation.engine.days.civil import CivilDays
from kpi_derivation.engine.days.in_service import InService
from kpi_derivation.engine.days.series_rows import SeriesRows
from kpi_derivation.engine.recent import Recent
from kpi_derivation.engine.row_days import RowDays
from kpi_derivation.engine.spans import runs
from kpi_derivation.rules.air.calibration import Calibrations
from registry.city import City
from telemetry.partials import Partials
from telemetry.series import IntArray, SeriesTable
from telemetry.windows import HOUR

LONGEST = 32  # days whose hours are read at once


class Span(NamedTuple):
    """Hours of some days, the first beginning at `start`, and the hours just before it."""

    start: int
    hours: Partials


class _Held(NamedTuple):
    """All hours that begin in [start, end)."""

    start: int
    end: int
    hours: Partials

    def of(self, start: int, end: int, series: IntArray) -> Partials:
        """Those of some series, and of a part of the time."""
        wanted = np.zeros(int(max(self.hours.series.max(initial=-1), series.max(initial=-1))) + 1, dtype=np.bool_)
        wanted[series] = True
        p = self.hours
        return p.take(wanted[p.series] & (p.start >= start) & (p.start < end))


class Hours:
    """The hours of one city. `lead`: hours before a day that its columns may look at."""

    def __init__(
        self, city: City, table: SeriesTable, stored: Recent, rows: SeriesRows, days: CivilDays, lead: int
    ) -> None:
        self._stored, self._rows, self._days, self._lead = stored, rows, days, lead * HOUR
        self._calibrations = Calibrations(city, table)
        self._table, self._city = table, city.id
        self.in_service = InService(city, table)
        self._holds, self._held = False, _Held(0, 0, Partials.empty())

    @contextmanager
    def held(self) -> Iterator[None]:
        """Within it, the hours of all series that were read last serve later reads of some of them."""
        self._holds = True
        try:
            yield
        finally:
            self._holds, self._held = False, _Held(0, 0, Partials.empty())

    def raw(self, start: int, end: int, series: IntArray | None = None) -> Partials:
        """Stored hours of devices in service that begin in [start, end), sorted."""
        if series is not None and self._held.start <= start and end <= self._held.end:
            return self._held.of(start, end, series)
        found = self.in_service.only(Partials.concat(list(self._stored.read(start, end, series))).latest())
        if series is None and self._holds:
            self._held = _Held(start, end, found)
        return found

    def at_hand(self, day: int) -> bool:
        """Whether the hours from a day (ordinal) on, and those before it that it may look at, are in memory."""
        return self.at_hand_from(self._days.midnight(day) - self._lead)

    def since(self, day: int) -> int:
        """How many hours there are of a series since the beginning of a day (ordinal), with those before it."""
        return max((self._stored.newest - self._days.midnight(day) + self._lead) // HOUR, 0) + 1

    def at_hand_from(self, start: int) -> bool:
        """Whether all hours from `start` on are in memory."""
        return self._stored.at_hand(start)

    def read(self, start: int, end: int, series: IntArray | None = None) -> Partials:
        """The same, calibrated."""
        if series is not None and self._calibrations:
            series = np.union1d(series, self._calibrations.humidity_of(series))
        return self._calibrations.apply(self.raw(start, end, series))

    def correcting(self, series: IntArray) -> list[int]:
        """Of these series those that others' calibration may need."""
        if not self._calibrations.needing_humidity:
            return []
        found: list[int] = series[self._table.has("humidity", series)].tolist()
        return found

    def corrected_by(self, series: int) -> Iterator[int]:
        """The series whose calibration needs this one."""
        name = self._table[series]
        if name.quantity == "humidity" and name.city == self._city:
            for quantity in self._calibrations.needing_humidity.get(name.device, ()):
                yield self._table.id_of(name._replace(quantity=quantity))

    def span(self, first: int, last: int, series: IntArray | None = None) -> Span:
        """Hours of the days first..last (ordinals) and of the hours before."""
        start = self._days.midnight(first)
        return Span(start, self.read(start - self._lead, self._days.midnight(last + 1), series))

    def spans(self, wanted: RowDays) -> Iterator[Span]:
        """All hours of these (row, day) and of the hours before, and perhaps others."""
        row, day = wanted.row, wanted.day
        for first, last in runs(np.unique(day), 1, LONGEST) if len(wanted) else ():
            here = row[(day >= first) & (day <= last)]
            yield self.span(first, last, self._rows.ids(here[np.diff(here, prepend=-1) != 0]))
