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
    for series in np.unique(windows.series).tolist():
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


def demand(windows: Partials, table: SeriesTable, since: int) -> Partials:
    """Energy of each quarter from `since` on, one row a quarter; `windows`: of one source series each device, sorted.

    A register's step counts in the quarter in which it was read, where the reading before is at most a quarter older;
    a longer step is a gap, whose energy has no time and no demand. Power counts as its mean over the quarter.
    """
    windows = windows.take(windows.n > 0)  # a window of flagged readings only must not separate its neighbours
    if not len(windows):
        return windows
    energy, n = _energy(windows, table)
    quarter = window_start(windows.start, QUARTER)
    # A window longer than a quarter has its energy in unknown quarters.
    keep = (quarter >= since) & (n > 0) & (windows.last_t - windows.first_t <= QUARTER)
    kept, energy, n, quarter = windows.take(keep), energy[keep], n[keep], quarter[keep]
    if not len(kept):
        return kept
    new = np.concatenate(([True], (kept.series[1:] != kept.series[:-1]) | (quarter[1:] != quarter[:-1])))
    starts, ends = np.flatnonzero(new), np.flatnonzero(np.append(new[1:], True))
    total = np.add.reduceat(energy, starts)
    counts = np.add.reduceat(n, starts)
    series = kept.series[starts]
    power = np.isin(series, [s for s in np.unique(series).tolist() if table[s].quantity == "power"])
    kwh = np.where(power, total / counts / 1000.0 * QUARTER / HOUR, total)
    return _rows(_targets(kept.series[starts], table), quarter[starts], counts, kwh, kept, starts, ends)


def _energy(w: Partials, table: SeriesTable) -> tuple[FloatArray, IntArray]:
    """What each window adds: kWh of intervals, timed steps of registers (n: how many), W of power (n: readings)."""
    register = ~np.isnan(table.modulus(w.series))
    before = np.full(len(w), -1, dtype=np.int64)
    before[1:] = np.where(w.series[1:] == w.series[:-1], np.arange(len(w) - 1), -1)
    near = (before >= 0) & (w.n > 0) & (w.n[before] > 0) & (w.first_t - w.last_t[before] <= QUARTER)
    joined = np.where(near, step(w.last[before], w.first, table.modulus(w.series)), 0.0)
    steps = np.nan_to_num(w.increase) + np.nan_to_num(joined)
    return np.where(register, steps, w.sum), np.where(register, w.n - 1 + near, w.n)


def _targets(series: IntArray, table: SeriesTable) -> IntArray:
    known = {int(s): table.id_of(table[int(s)]._replace(quantity=TARGET)) for s in np.unique(series)}
    return np.array([known[s] for s in series.tolist()], dtype=np.int64)


def _rows(
    series: IntArray, start: IntArray, n: IntArray, kwh: FloatArray, of: Partials, starts: IntArray, ends: IntArray
) -> Partials:
    """Partials of a derived series with these sums."""
    nothing, zero = np.full(len(start), np.nan), np.zeros(len(start), dtype=np.int64)
    return Partials(
        series, start, n, kwh, kwh, kwh, kwh * kwh, of.first_t[starts], nothing, of.last_t[ends], nothing, nothing,
        zero, np.maximum.reduceat(of.lag, starts),
    )  # fmt: skip
