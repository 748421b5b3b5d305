"""Demand of all meters together, day by day: the highest quarter of an hour, and each meter's own highest. Pure.

The quarters of a meter are reread when its day changed, recent ones from memory. A meter that sends the
energy of longer intervals than a quarter counts with its mean power over the interval. Hours of at most two interval
energies show their quarters themselves; of others the quarters are stored (`derived.demand`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from kpi_derivation.engine.days.civil import CivilDays
from kpi_derivation.engine.days.columns import DayColumns
from kpi_derivation.engine.days.grid import DayGrid
from kpi_derivation.engine.days.hours import Hours
from kpi_derivation.engine.days.series_rows import SeriesRows
from kpi_derivation.engine.derived import QUARTER, TARGET, demand_source, has_quarter_detail
from kpi_derivation.engine.laid import Laid
from kpi_derivation.engine.row_days import ByRow, RowDays
from kpi_derivation.engine.spans import runs
from registry.city import City
from telemetry.partials import Partials
from telemetry.periods import hour_phase
from telemetry.series import BoolArray, FloatArray, IntArray
from telemetry.windows import HOUR, window_start

QUANTITIES = (TARGET, "energy_delta")  # whose days it is made of
_LONGEST = HOUR  # an interval energy of longer intervals has no quarters
_CELLS = 1_000_000  # quarters of meters that are laid out at once
_AT_ONCE = 1_000  # meters
_A_DAY = 100  # quarters, at most
_LAID = 3  # newest days whose quarters are kept
_IDLE = 500  # updates without a change of a day, after which its quarters are not kept, of any but the newest
_OWN = {"kw": np.nan, "quarters": 0.0}  # of each meter and day: its highest power, and how many quarters have one
_PERIODS = 12  # periods whose highest powers are kept


class Peak(NamedTuple):
    """Highest mean power in kW, the quarter in which it was (ms UTC), how many meters made it."""

    kw: float
    at: int
    meters: int


class Demand(NamedTuple):
    """The highest peak of a period, the earliest of equal ones; each meter's own highest, kW, by name.

    `known_ms`: meter-time whose power is known. `names`: all meters, of which those that `have` a power are in `own`.
    """

    peak: Peak | None
    own: FloatArray
    known_ms: float
    names: Sequence[str] = ()
    have: Sequence[bool] | BoolArray = ()


class _Energies(NamedTuple):
    """Energy of intervals: the number of the meter, when the interval began (quarter, ms UTC), kWh."""

    meter: IntArray
    at: IntArray
    kwh: FloatArray

    def of(self, first: int, end: int) -> _Energies:
        """Those of the meters first..end - 1, numbered from 0 on; not copied where these are all."""
        mine = (self.meter >= first) & (self.meter < end)
        return self if not first and mine.all() else _Energies(self.meter[mine] - first, self.at[mine], self.kwh[mine])


class DemandDays:
    """Per day the city's peak, and per device and day its own, kW. Of meters that consume."""

    def __init__(self, city: City, rows: SeriesRows, days: CivilDays, hours: Hours, columns: DayColumns) -> None:
        self._rows, self._days, self._hours, self._columns = rows, days, hours, columns
        self._phase = hour_phase(city.zone)
        self.peaks: dict[int, Peak] = {}
        self.own = DayGrid(_OWN)  # rows in the order of the meters' names
        self._devices = city.by_id
        self._is_meter = ByRow(rows, self._counts, small=True)
        self._names: list[str] = []
        self._sorted = np.array(self._names, dtype=np.str_)
        self._by_interval = np.empty(0, dtype=np.bool_)  # of each meter whether its interval energies count
        self._seen = 0
        self._laid: dict[int, Laid] = {}  # of the newest days
        self._updates, self._used = 0, dict[int, int]()  # and in which of them a day was changed last
        self.keep_laid = False  # of all days, until `curves` takes them
        self._highest: dict[tuple[int, int], FloatArray] = {}
        self._known: dict[int, float] = {}  # quarters of all meters with a power, of each day

    def update(self, changed: RowDays) -> RowDays:
        """Fold the days again on which demand changed, or how long a meter's readings stand, and those after them.

        The last interval of a day may reach into the next: returns the (row, day) of these.
        """
        mine = changed.where(self._is_meter.of(changed.row) > 0)
        touched: dict[int, set[str]] = {}
        for name, day in zip(self._rows.devices(mine.row), mine.day.tolist(), strict=True):
            touched.setdefault(day, set()).add(name)
        if not touched:
            return RowDays()
        after = mine.where(np.isin(mine.day + 1, list(self._known)))
        after = RowDays.of(after.row, after.day + 1)
        for day in [d for d in touched if d + 1 in self._known]:
            touched[day + 1] = touched.get(day + 1, set()) | touched[day]
        days = list(touched)
        self._meet()
        for day in [d for d in touched if d in self._laid]:
            self._fold(sorted(touched.pop(day)), day, day)
        longest = max(1, _CELLS // (_A_DAY * len(self._names)))
        for first, last in runs(np.array(sorted(touched), dtype=np.int64), 1, longest):
            self._fold(self._names, first, last)
        self._drop_idle(days)
        return after

    def _drop_idle(self, changed: Iterable[int]) -> None:
        """Do not keep the quarters of a day that has not changed for long: late readings lay them out again."""
        self._updates += 1
        self._used |= dict.fromkeys(changed, self._updates)
        newest = max(self._used)
        self._used = {day: last for day, last in self._used.items() if day == newest or self._updates - last <= _IDLE}
        if not self.keep_laid:
            self._laid = {day: laid for day, laid in self._laid.items() if day in self._used}

    def facts(self) -> tuple[dict[int, tuple[float, int, int]], dict[int, float]]:
        """The peaks, and the quarters with a power, of each day."""
        self._meet()
        return {day: (peak.kw, peak.at, peak.meters) for day, peak in self.peaks.items()}, self._known

    def take(self, peaks: Mapping[int, tuple[float, int, int]], known: Mapping[int, float]) -> None:
        """Continue from these; the caller then fills `own`, whose rows are the meters of all series by name."""
        self.peaks, self._known = {day: Peak(*peak) for day, peak in peaks.items()}, dict(known)
        self._meet()

    def _counts(self, device: str, quantity: str) -> bool:
        entry = self._devices.get(device)
        source = demand_source(entry) if entry is not None else ""
        return bool(source) and (quantity == TARGET or quantity == source == "energy_delta")

    def _meet(self) -> None:
        """Take in meters that are new. By name: series ids differ after a restart, and the order of a sum is part of
        its last bit.
        """
        if self._seen == len(self._rows):
            return
        new = (self._rows.name(row) for row in range(self._seen, len(self._rows)))
        known = {*self._names, *(name[0] for name in new if self._counts(*name))}
        self._seen = len(self._rows)
        if len(known) != len(self._names):
            names, old = sorted(known), self.own
            self.own = DayGrid(_OWN)
            if old.columns:
                self.own.ensure(len(names), old.origin, old.origin + old.shape[1] - 1)
                places = {name: i for i, name in enumerate(names)}
                before = [places[name] for name in self._names]
                for name, column in old.columns.items():
                    self.own.columns[name][before, : old.shape[1]] = column[: len(before)]
            for laid in self._laid.values():
                laid.make_room(np.searchsorted(names, self._names), len(names))
            self._names, self._sorted = names, np.array(names)
            self._by_interval = np.array([demand_source(self._devices[name]) == "energy_delta" for name in names])
            self._highest.clear()

    def _power(self, names: list[str], first: int, last: int) -> FloatArray:
        """Mean power, kW, of these meters in every quarter of the days first..last."""
        return np.concatenate(list(self._powers(names, first, last)))

    def _powers(self, names: list[str], first: int, last: int) -> Iterator[FloatArray]:
        """The same, of _AT_ONCE meters after the other; hours that are in memory are read for these alone."""
        step = _AT_ONCE if self._hours.at_hand(first) else max(len(names), 1)
        for at in range(0, max(len(names), 1), step):
            yield from self._powers_of(names[at : at + step], first, last)

    def _powers_of(self, names: list[str], first: int, last: int) -> Iterator[FloatArray]:
        start, end = self._days.midnight(first), self._days.midnight(last + 1)
        stored, rows = (self._rows.find_all(names, quantity) for quantity in QUANTITIES)
        intervals = np.where(self._by_interval[np.searchsorted(self._sorted, names)], rows, -1)
        series = [self._rows.ids(some[some >= 0]) for some in (stored, intervals)]
        meters = np.concatenate([np.flatnonzero(some >= 0) for some in (stored, intervals)])
        hours = self._hours.raw(window_start(start - _LONGEST, HOUR, self._phase), end, np.concatenate(series))
        found = _energies(hours, series, meters, self._phase)
        bounds, length = self._bounds(first, last), (end - start) // QUARTER
        for at in range(0, len(names), _AT_ONCE):
            interval = self._columns.main.slice("interval", rows[at : at + _AT_ONCE], first, last)
            yield _spread(found.of(at, at + _AT_ONCE), start, length, bounds, interval)

    def _bounds(self, first: int, last: int) -> IntArray:
        """The quarter in which each of these days starts."""
        start = self._days.midnight(first)
        return np.array([(self._days.midnight(d) - start) // QUARTER for d in range(first, last + 1)])

    def curves(self, first: int, last: int) -> tuple[list[str], FloatArray]:
        """The meters by name and their mean power, kW, in every quarter of the days first..last; NaN where unknown."""
        self._meet()
        if not self._names:
            return [], np.empty((0, (self._days.midnight(last + 1) - self._days.midnight(first)) // QUARTER))
        longest = max(1, _CELLS // (_A_DAY * len(self._names)))
        days = runs(np.arange(first, last + 1, dtype=np.int64), 1, longest)
        out = np.empty((len(self._names), (self._days.midnight(last + 1) - self._days.midnight(first)) // QUARTER))
        at = 0
        for a, b in days:
            for power in self._taken(a, b):
                out[:, at : at + power.shape[1]] = power
                at += power.shape[1]
        return list(self._names), out

    def _taken(self, first: int, last: int) -> Iterator[FloatArray]:
        """The power of all meters in the quarters of these days, from what is laid out where every day is."""
        if any(day not in self._laid for day in range(first, last + 1)):
            yield self._power(self._names, first, last)
            return
        for day in range(first, last + 1):
            yield self._laid[day].power()
            if self.keep_laid:  # both at once would be twice the memory
                del self._laid[day]

    def _fold(self, names: list[str], first: int, last: int) -> None:
        """Lay out the quarters of these meters, and find the peaks of all."""
        self.own.ensure(len(self._names), first, last)
        places, bounds = np.searchsorted(self._sorted, names), self._bounds(first, last)
        columns, days = np.arange(first, last + 1) - self.own.origin, range(first, last + 1)
        if len(names) == len(self._names):
            self._laid |= {day: Laid(len(names), self._quarters_of(day)) for day in days}
        for at, power in enumerate(self._powers(names, first, last)):
            some = places[at * _AT_ONCE : (at + 1) * _AT_ONCE]
            self.own.columns["kw"][some[:, None], columns] = np.fmax.reduceat(power, bounds, axis=1)
            known = np.add.reduceat(~np.isnan(power), bounds, axis=1, dtype=np.float64)
            self.own.columns["quarters"][some[:, None], columns] = known
            for day, part in zip(days, np.split(power, bounds[1:], axis=1), strict=True):
                self._laid[day].replace(some, part)
        sums = self.own.columns["quarters"][:, columns].sum(axis=0).tolist()
        self._known |= dict(zip(days, sums, strict=True))
        for (a, b), highest in self._highest.items():
            highest[places] = self._highest_of(places, a, b)
        for day in days:
            self._set_peak(day, self._laid[day])
        if not self.keep_laid:
            self._laid = dict(sorted(self._laid.items())[-_LAID:])

    def _quarters_of(self, day: int) -> int:
        return (self._days.midnight(day + 1) - self._days.midnight(day)) // QUARTER

    def _set_peak(self, day: int, laid: Laid) -> None:
        self.peaks.pop(day, None)
        peak = highest(laid.total(), laid.meters, self._days.midnight(day))
        if peak:
            self.peaks[day] = peak

    def period(self, first: int, last: int) -> Demand:
        """The demand of the days first..last."""
        if (first, last) not in self._highest:
            self._highest = dict(list(self._highest.items())[-_PERIODS:])
            self._highest[first, last] = self._highest_of(slice(len(self._names)), first, last)
        highest = self._highest[first, last]
        found = [self.peaks[day] for day in range(first, last + 1) if day in self.peaks]
        peak = max(found, key=lambda p: (p.kw, -p.at), default=None)
        quarters = sum(self._known.get(day, 0.0) for day in range(first, last + 1))
        have = highest > -np.inf
        return Demand(peak, highest[have], quarters * QUARTER, self._names, have)

    def _highest_of(self, places: IntArray | slice, first: int, last: int) -> FloatArray:
        """Of each of these meters over the days first..last; -inf where none is known."""
        own = self.own.at_hand("kw", places, first, last)
        return np.asarray(np.fmax.reduce(own, axis=1, initial=-np.inf))

    def bytes(self) -> int:
        """Bytes of the meters' own highest powers, and of the quarters of the newest days."""
        return self.own.bytes() + sum(laid.bytes() for laid in self._laid.values())


def together(power: FloatArray) -> tuple[FloatArray, IntArray]:
    """Power of all meters together in every quarter, and of how many meters; a missing quarter adds nothing."""
    there = ~np.isnan(power)
    return np.where(there, power, 0.0).sum(axis=0), there.sum(axis=0)


def highest(total: FloatArray, meters: IntArray, start: int) -> Peak | None:
    """The highest of the quarters from `start` on in which any meter has a value, the earliest of equal ones."""
    found = np.where(meters > 0, total, -np.inf)
    best = int(np.argmax(found))
    return Peak(float(found[best]), start + best * QUARTER, int(meters[best])) if meters[best] else None


def _energies(hours: Partials, series: Sequence[IntArray], meters: IntArray, phase: int) -> _Energies:
    """The intervals in these hours, which begin at `phase`. `series`: of stored quarters, and of interval energies;
    `meters`: the number of each.
    """
    both = np.concatenate(series)
    lookup, is_quarter = np.zeros(int(both.max()) + 1, dtype=np.int64), np.zeros(int(both.max()) + 1, dtype=np.bool_)
    lookup[both], is_quarter[series[0]] = meters, True
    stored = is_quarter[hours.series]
    timed = hours.where(~stored & has_quarter_detail(hours.n) & (hours.n > 0))
    first, last = window_start(timed.first_t, QUARTER), window_start(timed.last_t, QUARTER)
    one = first == last
    kwh = np.where(one, timed.sum, timed.first)
    mine, other = lookup[timed.series], ~one
    # Quarters stored for an hour that has at most two readings by now are out of date.
    kept = hours.take(stored)
    low = int(hours.start.min(initial=1 << 60)) - HOUR
    span = (int(hours.start.max(initial=0)) - low) // HOUR + 2

    def key(meters: IntArray, starts: IntArray) -> IntArray:
        """A small number of each meter and hour: a search among large ones takes most of the time of a large city."""
        return meters * span + (starts - low) // HOUR

    begun = window_start(kept.start, HOUR, phase)
    current = ~np.isin(key(lookup[kept.series], begun), key(mine, timed.start))
    return _Energies(
        np.concatenate((lookup[kept.series][current], mine, mine[other])),
        np.concatenate((kept.start[current], first, last[other])),
        np.concatenate((kept.sum[current], kwh, timed.last[other])),
    )


def _spread(found: _Energies, start: int, length: int, bounds: IntArray, interval: FloatArray) -> FloatArray:
    """Mean power in kW of each meter in the quarters from `start` on, NaN where unknown; shape (meters, length).

    Of a quarter's energy, or over the longer interval that begins with it. `interval`: ms, shape (meters, days).
    """
    power = np.full((len(interval), length), np.nan)
    reach = np.maximum(np.rint(np.nan_to_num(interval, nan=1.0) / QUARTER), 1.0)
    longest = int(reach[reach <= _LONGEST // QUARTER].max(initial=0))
    for shift in range(longest):
        slot = (found.at - start) // QUARTER + shift
        inside = (slot >= 0) & (slot < length)
        meter, at, kwh = found.meter[inside], slot[inside], found.kwh[inside]
        spans = reach[meter, np.searchsorted(bounds, at, side="right") - 1]
        ok = (shift < spans) & (spans <= _LONGEST // QUARTER)
        power[meter[ok], at[ok]] = kwh[ok] / (spans[ok] * QUARTER / HOUR)
    return power
