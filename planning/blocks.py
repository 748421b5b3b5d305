"""Confidence intervals for correlated hours: whole weeks are drawn, not hours. Pure; deterministic for a seed."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from telemetry.series import FloatArray, IntArray
from telemetry.windows import DAY

WEEK = 7 * DAY
_MONDAY = 4 * DAY  # 1970-01-05 was the first Monday: ISO weeks in UTC begin there
_Z = 1.959964


class Interval(NamedTuple):
    """An estimate with its 95 % interval, and how many blocks of how many hours it is based on."""

    value: float
    low: float
    high: float
    blocks: int
    hours: int

    @property
    def is_effect(self) -> bool:
        """Whether 0 lies outside of the interval."""
        return self.low > 0 or self.high < 0


def iso_week(t: IntArray) -> IntArray:
    """The number of the ISO week, UTC, of each time."""
    return (t - _MONDAY) // WEEK


def t_quantile(degrees: int) -> float:
    """97.5 % quantile of Student's t by Cornish and Fisher's expansion; within 1 % from 5 degrees of freedom on."""
    z, v = _Z, max(degrees, 1)
    first, second = (z**3 + z) / 4.0, (5.0 * z**5 + 16.0 * z**3 + 3.0 * z) / 96.0
    third = (3.0 * z**7 + 19.0 * z**5 + 17.0 * z**3 - 15.0 * z) / 384.0
    return z + first / v + second / v**2 + third / v**3


def drawn_weights(block: IntArray, draws: int, seed: int) -> FloatArray:
    """How often each block (0, 1, ...) is in each bootstrap draw; shape (draws, blocks)."""
    blocks = int(block.max()) + 1
    rng = np.random.default_rng(seed)
    picked = rng.integers(0, blocks, size=(draws, blocks))
    offset = np.arange(draws)[:, None] * blocks
    return np.bincount((picked + offset).ravel(), minlength=draws * blocks).reshape(draws, blocks).astype(np.float64)


def added(group: IntArray, values: FloatArray, groups: int = 0) -> FloatArray:
    """The sum of the values of each group 0, 1, ..."""
    return np.bincount(group, weights=values, minlength=groups).astype(np.float64)


def numbered(week: IntArray) -> IntArray:
    """Weeks numbered 0, 1, ... in the order of time, those without data left out."""
    return np.unique(week, return_inverse=True)[1].astype(np.int64)


def widened(value: float, drawn: FloatArray, blocks: int) -> tuple[float, float]:
    """The 95 % interval of bootstrap draws, made wider for few blocks as Student's t is wider than the normal curve."""
    low, high = (float(p) for p in np.percentile(drawn, (2.5, 97.5)))
    factor = t_quantile(blocks - 1) / _Z * np.sqrt(blocks / max(blocks - 1, 1))
    return value + (low - value) * factor, value + (high - value) * factor


def mean_interval(values: FloatArray, week: IntArray, draws: int = 2000, seed: int = 1, wide: bool = True) -> Interval:
    """The mean of the values with its interval; blocks: their weeks. `wide`: widen for few blocks."""
    block = numbered(week)
    total = np.bincount(block, weights=values)
    count = np.bincount(block).astype(np.float64)
    weights = drawn_weights(block, draws, seed)
    value, drawn = float(values.mean()), (weights @ total) / (weights @ count)
    low, high = widened(value, drawn, len(count)) if wide else (float(p) for p in np.percentile(drawn, (2.5, 97.5)))
    return Interval(value, low, high, len(count), len(values))


def refit_interval(
    x: FloatArray, y: FloatArray, column: int, week: IntArray, draws: int = 1000, seed: int = 1
) -> Interval:
    """The interval of one coefficient of the least squares fit of y on x; blocks: weeks.

    Each week is condensed to its products once, so that a draw costs one small solution.
    """
    block = numbered(week)
    order = np.argsort(block, kind="stable")
    starts = np.flatnonzero(np.diff(block[order], prepend=-1))
    both = np.column_stack([x, y])[order]
    products = np.array([part.T @ part for part in np.split(both, starts[1:])])
    weights = np.vstack([np.ones(len(products)), drawn_weights(block, draws, seed)])
    summed = np.tensordot(weights, products, axes=1)
    found = np.array([np.linalg.lstsq(s[:-1, :-1], s[:-1, -1], rcond=None)[0][column] for s in summed])
    value = float(found[0])
    return Interval(value, *widened(value, found[1:], len(products)), len(products), len(block))
