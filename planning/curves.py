"""Figures of a set of measured load curves: peak, coincidence, load factor, duration. Pure.

Curves are kW, one row a meter, one column an interval of a grid; NaN where nothing was measured, which adds nothing to
the sum. Every figure depends on the interval and the number of meters; give both beside it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from planning.grid import Grid
from telemetry.errors import UsageError
from telemetry.series import FloatArray


class LoadFigures(NamedTuple):
    """Figures of several meters together.

    `peak_kw` at `peak_at` (UTC ms); `coincidence`: peak / sum of own peaks; `load_factor`: mean / peak over all
    intervals; `peak_per_annual_energy`: 1/h; `meters`, `interval_min`: what the figures are derived from.
    """

    peak_kw: float
    peak_at: int
    coincidence: float
    load_factor: float
    kwh: float
    peak_per_annual_energy: float
    meters: int
    interval_min: float
    missing: float


def summed(curves: FloatArray) -> FloatArray:
    """The power of all meters together, kW in each slot; a missing interval adds nothing."""
    return np.nansum(curves, axis=0) if len(curves) else np.zeros(curves.shape[1])


def load_figures(curves: FloatArray, grid: Grid) -> LoadFigures:
    """The figures of these curves. Raises UsageError where nothing was measured."""
    measured = ~np.isnan(curves)
    if not measured.any():
        raise UsageError("No meter has a load curve in this period.")
    together = summed(curves)
    best = int(np.argmax(together))
    own = np.where(measured, curves, -np.inf).max(axis=1)
    kwh = float(together.sum() * grid.hours)
    peak = float(together[best])
    return LoadFigures(
        peak_kw=peak,
        peak_at=grid.start + best * grid.step,
        coincidence=peak / float(own[own > -np.inf].sum()) if peak else 1.0,
        load_factor=kwh / (peak * grid.slots * grid.hours) if peak else 0.0,
        kwh=kwh,
        peak_per_annual_energy=peak / (kwh / grid.days * 365.0) if kwh else 0.0,
        meters=int(measured.any(axis=1).sum()),
        interval_min=grid.minutes,
        missing=float(1.0 - measured.mean()),
    )


def coarser(curves: FloatArray, grid: Grid, factor: int) -> tuple[FloatArray, Grid]:
    """The same curves over intervals `factor` times as long; a missing interval adds nothing to the longer one."""
    slots = grid.slots // factor
    block = np.nan_to_num(curves[:, : slots * factor]).reshape(len(curves), slots, factor)
    return block.mean(axis=2), Grid(grid.start, grid.step * factor, slots)


def own_interval(curves: FloatArray) -> int:
    """Over how many intervals the measured means run: 1, 2 or 4, where every meter's values repeat so."""
    for factor in (4, 2):
        slots = curves.shape[1] // factor * factor
        block = curves[:, :slots].reshape(len(curves), -1, factor)
        same = (block == block[:, :, :1]) | np.isnan(block)
        if same.all():
            return factor
    return 1


def averaged(power: FloatArray, factor: int) -> FloatArray:
    """Power as means over `factor` intervals, on the same grid; rows apart."""
    if factor == 1:
        return power
    whole = power.shape[-1] // factor * factor
    out = power.copy()
    block = power[..., :whole].reshape(*power.shape[:-1], -1, factor)
    out[..., :whole] = np.repeat(block.mean(axis=-1), factor, axis=-1)
    return out


def exceeded(power: FloatArray, hours: float, grid: Grid) -> float:
    """The power that is reached or passed for `hours` hours: the (hours / interval)-th largest value.

    Raises UsageError for more hours than the curve has.
    """
    place = max(round(hours / grid.hours), 1)
    if place > len(power):
        raise UsageError(f"The curve has {len(power) * grid.hours:g} hours, not {hours:g}.")
    return float(np.partition(power, len(power) - place)[len(power) - place])


def hours_over(power: FloatArray, limit: float, grid: Grid) -> float:
    """Hours in which the power is strictly above `limit`, kW."""
    return float((power > limit).sum() * grid.hours)
