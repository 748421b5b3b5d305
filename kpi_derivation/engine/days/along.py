"""What a day of a series has from the series' other days: how long its readings stand, and a counter's steps between
days. Pure.
"""

from __future__ import annotations

import numpy as np

from kpi_derivation.engine.days.grid import DayGrid
from telemetry.partials import step
from telemetry.series import FloatArray, IntArray

COLUMNS = {"interval": np.nan, "increase": 0.0}


def settle_interval(grid: DayGrid, row: int, fixed_s: float | None) -> IntArray:
    """A day's interval: the registry's, else the smaller of the day's and the device's median step.

    Returns the days (ordinals) whose interval changed.
    """
    c = grid.columns
    steps = c["step"][row]
    known = steps[~np.isnan(steps)]
    typical = float(np.sort(known)[(len(known) - 1) // 2]) if len(known) else np.nan
    used = np.where(c["n"][row] > 0, fixed_s * 1000.0 if fixed_s else np.fmin(steps, typical), np.nan)
    before = c["interval"][row]
    differs = ~((used == before) | (np.isnan(used) & np.isnan(before)))
    c["interval"][row] = used
    return np.flatnonzero(differs) + grid.origin


def join_counter(grid: DayGrid, row: int, modulus: float) -> IntArray:
    """Give each day of a counter its steps plus the step from the last day with data before it.

    Returns the days (ordinals) whose increase changed: late data of one day changes the step into the next one.
    """
    c = grid.columns
    days = np.flatnonzero(c["n"][row] > 0)
    joined: FloatArray = c["inside"][row].copy()
    if len(days) > 1:
        a, b = days[:-1], days[1:]
        joined[b] += step(c["last"][row][a], c["first"][row][b], np.full(len(a), modulus))
    changed = np.flatnonzero(joined != c["increase"][row]) + grid.origin
    c["increase"][row] = joined
    return changed
