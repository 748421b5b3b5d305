"""The workbench over the cities of a region: one stated choice, and the ranks that other choices give. Pure.

Not an official index: the publisher gives no weights. Besides the result of the chosen normalisation, weights and
aggregation, each city has an interval: the 5th and 95th percentile of its rank over random weights x both aggregations
x both normalisations, and how often it is first (after the handbook of OECD and JRC; from general knowledge).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec
import numpy as np

from kpi_derivation.catalogue import KPIS
from reporting.figures.points import Point
from reporting.index.aggregate import AGGREGATIONS, Aggregation, aggregated, by_category, drawn, equal, ranked
from reporting.index.normalise import NORMALISATIONS, Normalisation, normalised, worst_of
from reporting.scoring import Target
from telemetry.series import FloatArray

NOT_OFFICIAL = "not an official index: the publisher gives no weights; targets are the cities' own"
Weights = Literal["equal", "category"]


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """What was chosen. `draws` random weights for the interval, from `seed`."""

    normalisation: Normalisation = "target"
    weights: Weights = "equal"
    aggregation: Aggregation = "arithmetic"
    draws: int = 1000
    seed: int = 1


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """One city. `score` and `rank` by the choice; `low` to `high` the ranks of 90 % of the draws; `first`: share."""

    city: str
    score: float | None
    rank: int | None
    low: float | None
    high: float | None
    first: float
    figures: int


class Bound(msgspec.Struct, frozen=True, kw_only=True):
    """A figure of the index: its target and the value that counts as worst, over `cities` cities."""

    code: str
    part: str
    target: float
    worst: float
    cities: int


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """The workbench's answer; `note` is to be shown with it."""

    note: str
    choice: Choice
    bounds: tuple[Bound, ...]
    standings: tuple[Standing, ...]


def workbench(values: Mapping[str, Mapping[Point, float]], targets: Mapping[Point, Target], choice: Choice) -> Result:
    """`values`: by city and figure, in one unit and method a figure. Figures without a target are left out."""
    points = [p for p in targets if any(p in of_city for of_city in values.values())]
    table = np.array([[of_city.get(p, np.nan) for p in points] for of_city in values.values()]).reshape(len(values), -1)
    scores = {how: _scores(table, points, targets, how) for how in NORMALISATIONS}
    mine = scores[choice.normalisation]
    weights = (
        equal(max(len(points), 1))
        if choice.weights == "equal" or not points
        else by_category([KPIS[code].category for code, _ in points])
    )
    total = aggregated(mine, weights, choice.aggregation)[:, 0] if points else np.full(len(values), np.nan)
    rank = ranked(total[:, None])[:, 0]
    low, high, first = _intervals(scores, len(points), choice) if points else (rank, rank, rank)
    standings = [
        Standing(
            city=city, score=_plain(total[i]), rank=None if np.isnan(rank[i]) else int(rank[i]), low=_plain(low[i]),
            high=_plain(high[i]), first=float(np.nan_to_num(first[i])), figures=int((~np.isnan(table[i])).sum()),
        )
        for i, city in enumerate(values)
    ]  # fmt: skip
    bounds = [
        Bound(
            code=p[0], part=p[1], target=targets[p].value, worst=worst_of(table[:, k], targets[p].direction),
            cities=int((~np.isnan(table[:, k])).sum()),
        )
        for k, p in enumerate(points)
    ]  # fmt: skip
    ordered = sorted(standings, key=lambda s: (s.rank is None, s.rank, s.city))
    return Result(note=NOT_OFFICIAL, choice=choice, bounds=tuple(bounds), standings=tuple(ordered))


def _scores(
    table: FloatArray, points: Sequence[Point], targets: Mapping[Point, Target], how: Normalisation
) -> FloatArray:
    columns = [normalised(table[:, k], targets[p].value, targets[p].direction, how) for k, p in enumerate(points)]
    return np.stack(columns, axis=1) if columns else table


def _intervals(
    scores: Mapping[Normalisation, FloatArray], figures: int, choice: Choice
) -> tuple[FloatArray, FloatArray, FloatArray]:
    weights = drawn(figures, choice.draws, choice.seed)
    ranks = np.concatenate(
        [ranked(aggregated(of, weights, how)) for of in scores.values() for how in AGGREGATIONS], axis=1
    )
    with np.errstate(invalid="ignore"):
        known = ~np.isnan(ranks).all(axis=1)
        low, high = (np.full(len(ranks), np.nan) for _ in range(2))
        if known.any():
            low[known], high[known] = np.nanpercentile(ranks[known], [5, 95], axis=1)
    return low, high, (ranks == 1).mean(axis=1)


def _plain(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
