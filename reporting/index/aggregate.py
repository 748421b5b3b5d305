"""From scores to one number for each city, with weights, by an arithmetic or a geometric mean. Pure.

A figure that a city does not report is left out of its mean, and its weight with it: never counted as 0. A score of 0
makes a geometric mean 0, so that the city ranks last.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

from telemetry.series import FloatArray

Aggregation = Literal["arithmetic", "geometric"]
AGGREGATIONS: tuple[Aggregation, ...] = get_args(Aggregation)


def aggregated(scores: FloatArray, weights: FloatArray, how: Aggregation) -> FloatArray:
    """`scores`: (cities, figures), NaN where missing; `weights`: (figures, draws). Returns (cities, draws).

    NaN for a city without any figure of a weight above 0.
    """
    there = ~np.isnan(scores)
    whole = there.astype(np.float64) @ weights
    with np.errstate(divide="ignore", invalid="ignore"):
        if how == "arithmetic":
            found = np.where(there, scores, 0.0) @ weights / whole
        else:
            positive = there & (scores > 0)
            logs = np.where(positive, np.log(np.where(positive, scores, 1.0)), 0.0)
            zero = (there & (scores <= 0)).astype(np.float64) @ weights > 0
            found = np.where(zero, 0.0, np.exp(logs @ weights / whole))
    return np.where(whole > 0, found, np.nan)


def equal(figures: int) -> FloatArray:
    """The same weight for each figure, as one draw."""
    return np.full((figures, 1), 1.0 / figures)


def by_category(categories: list[str]) -> FloatArray:
    """The same weight for each category, divided among its figures, as one draw."""
    names = list(dict.fromkeys(categories))
    counts = {name: categories.count(name) for name in names}
    return np.array([[1.0 / len(names) / counts[c]] for c in categories])


def drawn(figures: int, draws: int, seed: int) -> FloatArray:
    """Random weights, uniform over all that sum to 1 (Dirichlet with 1 for each)."""
    return np.random.default_rng(seed).dirichlet(np.ones(figures), size=draws).T


def ranked(totals: FloatArray) -> FloatArray:
    """Rank of each city in each draw: 1 is best, equal ones share a rank; NaN without a total. (cities, draws)"""
    ranks = np.full(totals.shape, np.nan)
    for draw in range(totals.shape[1]):
        column = totals[:, draw]
        known = ~np.isnan(column)
        ordered = np.sort(-column[known])
        ranks[known, draw] = np.searchsorted(ordered, -column[known], side="left") + 1
    return ranks
