"""From values to scores of 0 to 100, by one of two ways. Pure.

`target`: the share of the target, at most 100. `min-max`: 100 (x - worst) / (best - worst), clipped, where the worst is
the 2.5th percentile of all cities (the 97.5th where lower is better) and the best is the target (SDSN's practice; not
checked against its text).
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

from reporting.scoring import Direction
from telemetry.series import FloatArray

Normalisation = Literal["target", "min-max"]
NORMALISATIONS: tuple[Normalisation, ...] = get_args(Normalisation)
_TAIL = 2.5


def normalised(values: FloatArray, target: float, direction: Direction, how: Normalisation) -> FloatArray:
    """Scores of one figure over all cities; NaN without a value, or where both bounds are equal."""
    return _to_target(values, target, direction) if how == "target" else _min_max(values, target, direction)


def min_max(values: FloatArray, worst: float, best: float) -> FloatArray:
    """100 (x - worst) / (best - worst), between 0 and 100; NaN where the bounds are equal."""
    if worst == best:
        return np.full(values.shape, np.nan)
    return np.clip(100.0 * (values - worst) / (best - worst), 0.0, 100.0)


def worst_of(values: FloatArray, direction: Direction) -> float:
    """The bound that counts as worst: a percentile over the cities that have a value; NaN without any."""
    known = values[~np.isnan(values)]
    if not len(known):
        return float("nan")
    return float(np.percentile(known, 100 - _TAIL if direction == "lower" else _TAIL))


def _to_target(values: FloatArray, target: float, direction: Direction) -> FloatArray:
    with np.errstate(divide="ignore", invalid="ignore"):
        if direction == "higher":
            share = values / target
        elif direction == "lower":
            share = np.where(
                values > 0, target / np.where(values > 0, values, 1.0), np.where(np.isnan(values), np.nan, 1.0)
            )
        else:
            share = 1.0 - np.abs(values - target) / target
    return np.clip(100.0 * share, 0.0, 100.0)


def _min_max(values: FloatArray, target: float, direction: Direction) -> FloatArray:
    if direction == "nearest":
        values, target, direction = np.abs(values - target), 0.0, "lower"
    return min_max(values, worst_of(values, direction), target)
