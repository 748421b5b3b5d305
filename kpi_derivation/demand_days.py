"""Demand of all meters together, day by day: the highest quarter of an hour, and each meter's own highest. Pure.

The quarters of a day are read again when one of its meters changed, recent ones from memory. A meter that sends the
energy of longer intervals than a quarter counts with its mean power over the interval. Hours of at most two interval
energies tell their quarters themselves; of others the quarters are stored (`derived.demand`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from kpi_derivation.days import DayGrid
from kpi_derivation.derived import QUARTER, TARGET, demand_source, tells_quarters
from kpi_derivation.spans import runs
from telemetry.city import City
from telemetry.partials import Partials
from telemetry.periods import hour_phase
from telemetry.series import FloatArray, IntArray
from telemetry.windows import HOUR, window_start

if TYPE_CHECKING:
    from kpi_derivation.folding import Days

_LONGEST = HOUR  # an interval energy of longer intervals says nothing about quarters
_CELLS = 1_000_000  # quarters of meters that are laid out at once
_A_DAY = 100  # quarters, at most


class Peak(NamedTuple):
    """Highest mean power in kW, the quarter in which it was (ms UTC), how many meters made it."""

    kw: float
    at: int
    meters: int


class _Energies(NamedTuple):
    """Energy of intervals: the number of the meter, when the interval began (quarter, ms UTC), kWh."""

    meter: IntArray
    at: IntArray
    kwh: FloatArray


class DemandDays:
    """Per day the city's peak, and per device and day its own, kW. Of meters that consume."""

    def __init__(self, city: City) -> None:
        self.peaks: dict[int, Peak] = {}
        self._source = {d.id: demand_source(d) for d in city.device}
        self.own = DayGrid({"kw": np.nan})
        self._places: dict[str, int] = {}

    def update(self, days: Days, changed: set[tuple[int, int]]) -> None:
        """Fold the days again on which demand changed, or how long a meter's readings stand, and those after them.

        The last interval of a day may reach into the next.
        """
        meters = {row for row in {row for row, _ in changed} if self._counts(*days.name(row))}
        touched = {day for row, day in changed if row in meters}
        touched |= {day + 1 for day in touched if day + 1 in self.peaks}
        rows = [r for r in range(len(days.series)) if self._counts(*days.name(r))] if touched else []
        longest = max(1, _CELLS // (_A_DAY * max(1, len(rows))))
        for first, last in runs(np.array(sorted(touched), dtype=np.int64), 1, longest):
            self._fold(days, rows, first, last)

    def _counts(self, device: str, quantity: str) -> bool:
        source = self._source.get(device)
        return bool(source) and (quantity == TARGET or quantity == source == "energy_delta")

    def _fold(self, days: Days, rows: list[int], first: int, last: int) -> None:
        start, end = days.midnight(first), days.midnight(last + 1)
        # By name: series ids differ after a restart, and the order of a sum is part of its last bit.
        names = sorted({days.name(r)[0] for r in rows})
        numbers = {name: i for i, name in enumerate(names)}
        found = _energies(
            days.raw_hours([days.series[r] for r in rows], start - _LONGEST, end),
            {days.series[r]: numbers[days.name(r)[0]] for r in rows},
            {days.series[r] for r in rows if days.name(r)[1] == TARGET},
            hour_phase(days.city.zone),
        )
        bounds = np.array([(days.midnight(d) - start) // QUARTER for d in range(first, last + 1)])
        interval = days.intervals(names, "energy_delta", first, last)
        power = _spread(found, start, (end - start) // QUARTER, bounds, interval)
        self._remember(first, start, names, power, bounds)

    def _remember(self, first: int, start: int, names: list[str], power: FloatArray, bounds: IntArray) -> None:
        days = range(first, first + len(bounds))
        for name in names:
            self._places.setdefault(name, len(self._places))
        self.own.ensure(len(self._places), first, days[-1])
        own = self.own.columns["kw"]
        places = np.array([self._places[n] for n in names])
        own[places[:, None], np.array(days) - self.own.origin] = np.fmax.reduceat(power, bounds, axis=1)
        meters = (~np.isnan(power)).sum(axis=0)
        total = np.where(meters > 0, np.where(np.isnan(power), 0.0, power).sum(axis=0), -np.inf)
        for day, a, b in zip(days, bounds, [*bounds[1:], len(total)], strict=True):
            best = a + int(np.argmax(total[a:b]))
            self.peaks.pop(day, None)
            if meters[best]:
                self.peaks[day] = Peak(float(total[best]), start + int(best) * QUARTER, int(meters[best]))

    def period(self, first: int, last: int) -> tuple[Peak | None, dict[str, float]]:
        """The highest peak of the days first..last, the earliest of equal ones, and each device's own highest."""
        days = self.own.slice("kw", np.arange(len(self._places)), first, last)
        highest = np.fmax.reduce(days, axis=1, initial=-np.inf).tolist()
        own = {name: kw for name, kw in zip(self._places, highest, strict=True) if kw > -np.inf}
        found = [self.peaks[day] for day in range(first, last + 1) if day in self.peaks]
        return max(found, key=lambda p: (p.kw, -p.at), default=None), own


def _energies(hours: Partials, meter: dict[int, int], quarters: set[int], phase: int) -> _Energies:
    """The intervals in these hours, which begin at `phase`. `meter`: number of each series; `quarters`: series of
    stored quarters.
    """
    stored = np.isin(hours.series, list(quarters))
    lookup = np.zeros(max(meter) + 1, dtype=np.int64)
    lookup[list(meter)] = list(meter.values())
    told = hours.take(~stored & tells_quarters(hours.n) & (hours.n > 0))
    first, last = window_start(told.first_t, QUARTER), window_start(told.last_t, QUARTER)
    one = first == last
    kwh = np.where(one, told.sum, told.first)
    mine, other = lookup[told.series], ~one
    # Quarters stored for an hour that has at most two readings by now are out of date.
    kept = hours.take(stored)
    span = int(hours.start.max(initial=0)) + HOUR
    begun = window_start(kept.start, HOUR, phase)
    current = ~np.isin(lookup[kept.series] * span + begun, mine * span + told.start)
    return _Energies(
        np.concatenate((lookup[kept.series][current], mine, mine[other])),
        np.concatenate((kept.start[current], first, last[other])),
        np.concatenate((kept.sum[current], kwh, told.last[other])),
    )


def _spread(found: _Energies, start: int, length: int, bounds: IntArray, interval: FloatArray) -> FloatArray:
    """Mean power in kW of each meter in the quarters from `start` on, NaN where unknown; shape (meters, length).

    Of a quarter's energy, or over the longer interval that begins with it. `interval`: ms, shape (meters, days).
    """
    power = np.full((len(interval), length), np.nan)
    reach = np.maximum(np.rint(np.nan_to_num(interval, nan=1.0) / QUARTER), 1.0)
    for shift in range(_LONGEST // QUARTER):
        slot = (found.at - start) // QUARTER + shift
        inside = (slot >= 0) & (slot < length)
        meter, at, kwh = found.meter[inside], slot[inside], found.kwh[inside]
        spans = reach[meter, np.searchsorted(bounds, at, side="right") - 1]
        ok = (shift < spans) & (spans <= _LONGEST // QUARTER)
        power[meter[ok], at[ok]] = kwh[ok] / (spans[ok] * QUARTER / HOUR)
    return power
