"""Series made from base windows, kept beside the hours: what the sums of an hour do not contain. Pure.

    sound_energy     from laeq: mean of 10^(L/10) over the readings of an hour; exact where a window holds one reading
    connector_fault  from connector_state: how many readings of an hour said 3 (fault)
    demand_15min     from energy registers, interval energies or power: kWh of each quarter of an hour; not for hours
                     of at most two interval energies, whose first and last value are the quarters (`demand_days`)

The caller stores them with the hours, so a restart reads them back. They are upserts like everything else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from registry.city import Device
from telemetry.partials import Partials, step
from telemetry.quantities import DERIVED_FROM
from telemetry.series import BoolArray, FloatArray, IntArray, Series, SeriesTable
from telemetry.windows import HOUR, MINUTE, window_start

QUARTER = 15 * MINUTE
TARGET = "demand_15min"
FAULT = 3.0
LEVELS = {"sound_energy", "connector_fault"}  # derived hour by hour


def sound(windows: Partials) -> FloatArray:
    """Summed energy of each window's readings: of several in one window by their mean and variance (normal levels)."""
    n = np.maximum(windows.n, 1)
    mean = windows.sum / n
    variance = np.maximum(windows.sumsq / n - mean * mean, 0.0)
    level = np.where(windows.n > 1, mean + np.log(10.0) / 20.0 * variance, mean)
    return windows.n * 10.0 ** (level / 10.0)


def faults(windows: Partials) -> FloatArray:
    """Number of fault readings of each window; a mixed window consists of its lowest state and fault."""
    low, high = np.nan_to_num(windows.min), np.nan_to_num(windows.max)
    mixed = (windows.sum - windows.n * low) / np.where(high > low, high - low, 1.0)
    return np.where(high < FAULT, 0.0, np.where(low >= FAULT, windows.n, mixed))


_OF: dict[str, Callable[[Partials], FloatArray]] = {"sound_energy": sound, "connector_fault": faults}


def levels(windows: Partials, table: SeriesTable) -> Partials:
    """The windows of LEVELS made from these windows, to be merged to hours like any other."""
    made = []
    some = np.unique(windows.series)
    has_levels = np.logical_or.reduce([table.has(source, some) for name in LEVELS for source in DERIVED_FROM[name]])
    for series in some[has_levels].tolist():
        name = table[series]
        for target, sources in DERIVED_FROM.items():
            if target in LEVELS and name.quantity in sources:
                mine = windows.take(windows.series == series)
                made.append(_as(mine, table.id_of(Series(name.city, name.device, target)), _OF[target](mine)))
    return Partials.concat(made)


def _as(windows: Partials, series: int, total: FloatArray) -> Partials:
    """The windows under another series with another sum; the extremes of the source mean nothing here."""
    nothing = np.full(len(windows), np.nan)
    return replace(
        windows, series=np.full(len(windows), series, dtype=np.int64), sum=np.where(windows.n > 0, total, 0.0),
        min=nothing, max=nothing, sumsq=np.zeros(len(windows)), first=nothing, last=nothing, increase=nothing,
    )  # fmt: skip


def demand_source(device: Device) -> str:
    """Which of its quantities a meter's demand is made from: interval energy, then register, then power.

    Empty for a device that is not a meter or measures generation.
    """
    if device.kind != "electricity_meter" or device.role == "generation":
        return ""
    return next((q for q in DERIVED_FROM[TARGET] if q in device.quantities), "")


def has_quarter_detail(n: IntArray) -> BoolArray:
    """Whether hours with `n` interval energies show their quarters by their first and last value alone."""
    return n <= 2


class _Pieces(NamedTuple):
    """Energy in quarters: of which window (its row), in which quarter, how much, and of how many steps or readings."""

    row: IntArray
    quarter: IntArray
    energy: FloatArray
    n: IntArray


def demand(windows: Partials, table: SeriesTable, since: int, until: int) -> Partials:
    """Energy of each quarter in [since, until), one row a quarter; `windows`: of one source series each device, sorted.

    A register's step of at most a quarter is spread over the time between its two readings, which may begin in the
    quarter before `since`; what ends on a boundary belongs to the time before it. A longer step is a gap, whose energy
    has no time and no demand. Power counts as its mean over the quarter.
    """
    windows = windows.take(windows.n > 0)  # a window of flagged readings only must not separate its neighbours
    if not len(windows):
        return windows
    register = ~np.isnan(table.modulus(windows.series))
    p = _pieces(windows, register, table)
    begins = np.where(register[p.row], since - QUARTER, since)
    kept = np.flatnonzero((p.quarter >= begins) & (p.quarter < until) & (p.n > 0))
    kept = kept[np.lexsort((p.row[kept], p.quarter[kept], windows.series[p.row[kept]]))]
    if not len(kept):
        return Partials.empty()
    of, quarter = windows.take(p.row[kept]), p.quarter[kept]
    new = np.concatenate(([True], (of.series[1:] != of.series[:-1]) | (quarter[1:] != quarter[:-1])))
    starts = np.flatnonzero(new)
    total, counts = np.add.reduceat(p.energy[kept], starts), np.add.reduceat(p.n[kept], starts)
    series = of.series[starts]
    kwh = np.where(table.has("power", series), total / counts / 1000.0 * QUARTER / HOUR, total)
    return _rows(table.beside(series, TARGET), quarter[starts], counts, kwh, of, starts)


def _pieces(w: Partials, register: BoolArray, table: SeriesTable) -> _Pieces:
    """What each window adds to its quarter, and what the step before it adds to the one or two quarters it spans."""
    row = np.arange(len(w))
    before = np.full(len(w), -1, dtype=np.int64)
    before[1:] = np.where(w.series[1:] == w.series[:-1], row[:-1], -1)
    near = np.flatnonzero(register & (before >= 0) & (w.first_t - w.last_t[before] <= QUARTER))
    begin, end = w.last_t[before[near]], w.first_t[near]
    joined = np.nan_to_num(step(w.last[before[near]], w.first[near], table.modulus(w.series[near])))
    last = np.maximum(window_start(end - 1, QUARTER), window_start(begin, QUARTER))
    earlier = np.maximum(last - begin, 0) / np.maximum(end - begin, 1)
    split = np.flatnonzero(earlier > 0)
    one = np.ones(len(near), dtype=np.int64)
    # A window longer than a quarter has its energy in unknown quarters.
    own = np.where(w.last_t - w.first_t <= QUARTER, np.where(register, w.n - 1, w.n), 0)
    return _Pieces(
        np.concatenate((row, near, near[split])),
        np.concatenate((window_start(w.start, QUARTER), last, window_start(begin[split], QUARTER))),
        np.concatenate((
            np.where(register, np.nan_to_num(w.increase), w.sum),
            joined * (1.0 - earlier),
            joined[split] * earlier[split],
        )),
        np.concatenate((own, one, one[split])),
    )  # fmt: skip


def _rows(series: IntArray, start: IntArray, n: IntArray, kwh: FloatArray, of: Partials, starts: IntArray) -> Partials:
    """Partials of a derived series with these sums. `of`: the windows of all pieces; `starts`: the first of each."""
    nothing, zero = np.full(len(start), np.nan), np.zeros(len(start), dtype=np.int64)
    first, last = np.minimum.reduceat(of.first_t, starts), np.maximum.reduceat(of.last_t, starts)
    within = start, start + QUARTER - 1  # a step may have been read after the quarter that has a part of it
    return Partials(
        series, start, n, kwh, kwh, kwh, kwh * kwh, np.clip(first, *within), nothing, np.clip(last, *within), nothing,
        nothing, zero, np.maximum.reduceat(of.lag, starts),
    )  # fmt: skip
