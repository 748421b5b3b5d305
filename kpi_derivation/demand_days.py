"""Demand of all meters together, day by day: the highest quarter of an hour, and each meter's own highest.

The quarters of a day are read again when one of its meters changed, recent ones from memory. A meter that sends the
energy of longer intervals than a quarter counts with its mean power over the interval.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from kpi_derivation.derived import QUARTER
from telemetry.partials import Partials
from telemetry.series import FloatArray, IntArray
from telemetry.windows import HOUR

if TYPE_CHECKING:
    from kpi_derivation.folding import Days

TARGET = "demand_15min"
_LONGEST = HOUR  # an interval energy of longer intervals says nothing about quarters


class Peak(NamedTuple):
    """Highest mean power in kW, the quarter in which it was (ms UTC), how many meters made it."""

    kw: float
    at: int
    meters: int


class DemandDays:
    """Per day the city's peak, and per device and day its own, kW."""

    def __init__(self) -> None:
        self.peaks: dict[int, Peak] = {}
        self.own: dict[int, dict[str, float]] = {}

    def update(self, days: Days, changed: set[tuple[int, int]]) -> None:
        """Fold the days again on which demand changed, or how long a meter's readings stand."""
        meters = {row for row in {row for row, _ in changed} if days.name(row)[1] in (TARGET, "energy_delta")}
        touched = {day for row, day in changed if row in meters}
        rows = [r for r in range(len(days.series)) if days.name(r)[1] == TARGET]
        for day in sorted(touched) if rows else ():
            hours = days.raw_hours(
                [days.series[r] for r in rows], days.midnight(day) - _LONGEST, days.midnight(day + 1)
            )
            self._fold(days, day, hours, {days.series[r]: days.name(r)[0] for r in rows})

    def _fold(self, days: Days, day: int, hours: Partials, names: dict[int, str]) -> None:
        start, end = days.midnight(day), days.midnight(day + 1)
        # By name: series ids differ after a restart, and the order of a sum is part of its last bit.
        series = sorted(np.unique(hours.series).tolist(), key=lambda s: names[s])
        power = np.full((len(series), (end - start) // QUARTER), np.nan)
        for i, s in enumerate(series):
            reach = days.interval(names[s], "energy_delta", day)
            mine = hours.series == s
            _spread(power[i], hours.start[mine] - start, hours.sum[mine], reach)
        self._remember(day, start, power, [names[s] for s in series])

    def _remember(self, day: int, start: int, power: FloatArray, names: list[str]) -> None:
        there = ~np.isnan(power)
        self.own[day] = {n: float(np.nanmax(p)) for n, p, t in zip(names, power, there, strict=True) if t.any()}
        self.peaks.pop(day, None)
        if there.any():
            total = np.where(there, power, 0.0).sum(axis=0)
            best = int(np.argmax(np.where(there.any(axis=0), total, -np.inf)))
            self.peaks[day] = Peak(float(total[best]), start + best * QUARTER, int(there[:, best].sum()))

    def period(self, first: int, last: int) -> tuple[Peak | None, dict[str, float]]:
        """The highest peak of the days first..last, the earliest of equal ones, and each device's own highest."""
        own: dict[str, float] = {}
        for day in range(first, last + 1):
            for name, kw in self.own.get(day, {}).items():
                own[name] = max(kw, own.get(name, -np.inf))
        found = [self.peaks[day] for day in range(first, last + 1) if day in self.peaks]
        return max(found, key=lambda p: (p.kw, -p.at), default=None), own


def _spread(power: FloatArray, at: IntArray, kwh: FloatArray, interval: float) -> None:
    """Write mean power in kW: of a quarter's energy, or over the longer interval that begins with it."""
    reach = 1 if np.isnan(interval) or interval <= QUARTER else round(interval / QUARTER)
    if reach > _LONGEST // QUARTER:
        return
    for shift in range(reach):
        slot = at // QUARTER + shift
        ok = (slot >= 0) & (slot < len(power))
        power[slot[ok]] = kwh[ok] / (reach * QUARTER / HOUR)
