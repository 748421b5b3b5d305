"""Hours that count in no KPI by the city file: of devices out of service, and of faults an operator confirmed. Pure.

A device is in service from the start of the day `since` to the end of the day `until`, city time.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from registry.city import City
from registry.service_times import days_between, service_time
from telemetry.partials import Partials
from telemetry.series import FloatArray, Series, SeriesTable


class InService:
    """The service times of one city's devices; those without `since` and `until` are always in service."""

    def __init__(self, city: City, table: SeriesTable) -> None:
        self._table, self._city = table, city.id
        self._spans = {d.id: service_time(d, city.zone) for d in city.device if d.since or d.until}
        self._known = np.empty((0, 2))
        self._faults = [
            (d.id, f.quantity, *days_between(f.since, f.until, city.zone)) for d in city.device for f in d.fault
        ]

    def only(self, hours: Partials) -> Partials:
        """The hours that count. Of the hour in which a register's service ends, the reading at that moment alone."""
        if self._faults and len(hours):
            hours = self._without_faults(hours)
        if not self._spans or not len(hours):
            return hours
        since, until = self._of_series()[hours.series].T
        inside = (hours.start >= since) & (hours.start < until)
        # The reading at the end closes the last day: without it that day's energy would be lost.
        closing = (hours.start == until) & (hours.first_t == until) & ~np.isnan(hours.increase)
        if closing.any():
            hours = _first_reading_only(hours, closing)
        return hours.where(inside | closing)

    def _without_faults(self, hours: Partials) -> Partials:
        """The hours in which no fault of their series is confirmed."""
        faulty = np.zeros(len(hours), dtype=np.bool_)
        for device, quantity, start, end in self._faults:
            series = self._table.id_of(Series(self._city, device, quantity))
            faulty |= (hours.series == series) & (hours.start >= start) & (hours.start < end)
        return hours.where(~faulty)

    def _of_series(self) -> FloatArray:
        """Ms UTC from and to which each series of the table counts; shape (series, 2)."""
        if len(self._known) != len(self._table):
            names = self._table.all
            always = (-np.inf, np.inf)
            spans = [self._spans.get(n.device, always) if n.city == self._city else always for n in names]
            self._known = np.array(spans).reshape(-1, 2)
        return self._known


def _first_reading_only(hours: Partials, rows: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Partials:
    """The hours, those of `rows` (of registers) as if only their first reading had come."""
    first = hours.first
    return replace(
        hours,
        n=np.where(rows, 1, hours.n), sum=np.where(rows, first, hours.sum), min=np.where(rows, first, hours.min),
        max=np.where(rows, first, hours.max), sumsq=np.where(rows, first * first, hours.sumsq),
        last_t=np.where(rows, hours.first_t, hours.last_t), last=np.where(rows, first, hours.last),
        increase=np.where(rows, 0.0, hours.increase),
    )  # fmt: skip
