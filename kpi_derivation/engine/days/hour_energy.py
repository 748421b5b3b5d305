"""What each meter counted in each hour, by the rules of whole periods, and whether the hour is whole. Pure.

An hour of interval energies is whole when as many came as fit into it; of power, when it is valid; of a register, when
it lies between readings that are not further apart than usual: their energy is spread evenly over the time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from kpi_derivation.rules.metering.meter_changes import connection_limits, meter_changes
from kpi_derivation.rules.metering.register_days import spans
from registry.city import City
from telemetry.partials import Partials
from telemetry.quantities import QUANTITIES
from telemetry.series import FloatArray, IntArray, SeriesTable
from telemetry.windows import DAY, HOUR

SLOW_REACH = 70 * DAY  # a register that is read once a month
_LATE = 1.5  # usual intervals between two readings of a register, as for its coverage


class Found(NamedTuple):
    """Hours of some meters. `names`: device and quantity; `ids`: series; `interval`: ms, NaN where unknown."""

    names: Sequence[tuple[str, str]]
    ids: IntArray
    interval: FloatArray
    hours: Partials


class _Steps(NamedTuple):
    """Energies of spans of time; `known`: whether the span is short enough for its hours to be whole."""

    meter: IntArray
    start: IntArray
    end: IntArray
    kwh: FloatArray
    known: FloatArray


class Registers:
    """What is known of the registers of a city, see `registers.Register`."""

    def __init__(self, city: City, table: SeriesTable) -> None:
        self._capture = city.rules.hour_capture
        self._limits, self._changes, self._table = connection_limits(city), meter_changes(city), table
        self._max_kw = {d.id: d.max_kw for d in city.device if d.max_kw is not None}

    def steps(self, found: Found, hours: Partials, meter: IntArray) -> _Steps:
        """The steps of all registers; `meter`: the place of each hour, growing."""
        limit = np.array([self._limits.get(name, np.nan) for name in found.names], dtype=np.float64)
        modulus = self._table.modulus(hours.series)
        at = spans(hours, meter, modulus, limit, lambda place: self._changes.get(found.names[place], ()))
        usual = np.where(found.interval > HOUR, found.interval, HOUR)[at.place]
        return _Steps(*at, (at.end - at.start <= _LATE * usual + 1.0).astype(np.float64))

    def plain(self, found: Found, hours: Partials, meter: IntArray) -> _Steps:
        """Interval energies and power: each hour, or each longer interval, by itself."""
        power = np.array([q == "power" for _, q in found.names], dtype=np.bool_)[meter]
        interval = np.where(found.interval[meter] > 0, found.interval[meter], HOUR)
        long = ~power & (interval > HOUR)
        start = np.where(long, hours.first_t, hours.start)
        length = np.where(long, interval, HOUR).astype(np.int64)
        covered = np.minimum(hours.n * interval, HOUR)
        least = np.where(power, self._capture * HOUR, HOUR - interval + 1.0)
        kwh = np.where(power, hours.mean / 1000.0, hours.sum)
        possible = np.array([self._max_kw.get(d, np.inf) for d, _ in found.names], dtype=np.float64)[meter]
        known = (long | (covered >= least - 1e-6)) & (kwh <= possible * length / HOUR)
        return _Steps(meter, start.astype(np.int64), (start + length).astype(np.int64), kwh, known.astype(np.float64))


def hour_energies(found: Found, registers: Registers, start: int, count: int) -> FloatArray:
    """kWh of each meter in the `count` hours from `start` on, NaN where the hour is not whole; (meters, hours)."""
    order = np.argsort(found.ids)
    meter = order[np.searchsorted(found.ids, found.hours.series, sorter=order)]
    by_meter = np.lexsort((found.hours.start, meter))
    by_meter = by_meter[found.hours.n[by_meter] > 0]
    hours, meter = found.hours.take(by_meter), meter[by_meter]
    counter = np.array([QUANTITIES[q].kind == "counter" for _, q in found.names], dtype=np.bool_)[meter]
    parts = (
        registers.steps(found, hours.take(counter), meter[counter]),
        registers.plain(found, hours.take(~counter), meter[~counter]),
    )
    steps = _Steps(*(np.concatenate(c) for c in zip(*parts, strict=True)))
    energy, known = _spread(steps, len(found.names), start, count)
    return np.where(known >= HOUR - 1.0, energy, np.nan)


def _spread(steps: _Steps, meters: int, start: int, count: int) -> tuple[FloatArray, FloatArray]:
    """Energy, evenly over its span, and known ms of each meter in each hour."""
    first, last = (steps.start - start) // HOUR, (steps.end - 1 - start) // HOUR
    first, last = np.maximum(first, 0), np.minimum(last, count - 1)
    touched = np.maximum(last - first + 1, 0) * (steps.end > steps.start)
    step = np.repeat(np.arange(len(touched)), touched)
    hour = first[step] + np.arange(len(step)) - np.repeat(np.cumsum(touched) - touched, touched)
    begins = start + hour * HOUR
    inside = np.minimum(steps.end[step], begins + HOUR) - np.maximum(steps.start[step], begins)
    cell, size = steps.meter[step] * count + hour, meters * count
    part = inside / (steps.end - steps.start)[step]
    energy = np.bincount(cell, weights=steps.kwh[step] * part, minlength=size).astype(np.float64)
    known = np.bincount(cell, weights=inside * steps.known[step], minlength=size).astype(np.float64)
    return energy.reshape(meters, count), known.reshape(meters, count)
