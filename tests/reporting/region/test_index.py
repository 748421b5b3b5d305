"""The index workbench: the HDI as golden example, and laws of normalisation, means and rank intervals."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporting.figures.points import Point
from reporting.index.aggregate import aggregated, by_category, drawn, equal, ranked
from reporting.index.normalise import min_max, normalised
from reporting.index.workbench import Choice, workbench
from reporting.scoring import Direction, Target


def one(value: float, worst: float, best: float) -> float:
    return float(min_max(np.array([value]), worst, best)[0])


def test_the_human_development_index_of_norway_2021() -> None:
    """Life expectancy 83.2, expected schooling 18 (capped) and mean schooling 13.0 years, income 64,660 a head."""
    life = one(83.2, 20, 85)
    school = (one(18.2, 0, 18) + one(13.0, 0, 15)) / 2
    income = one(math.log(64_660), math.log(100), math.log(75_000))
    assert [round(s / 100, 4) for s in (life, school, income)] == [0.9723, 0.9333, 0.9776]
    scores = np.array([[life, school, income]])
    assert round(float(aggregated(scores, equal(3), "geometric")[0, 0]) / 100, 3) == 0.961


def test_min_max_takes_the_percentile_as_worst_and_the_target_as_best() -> None:
    values = np.arange(0.0, 201.0)  # the 2.5th percentile of 0..200 is 5
    scores = normalised(values, 105.0, "higher", "min-max")
    assert scores[[0, 5, 55, 105, 200]].tolist() == [0.0, 0.0, 50.0, 100.0, 100.0]
    lower = normalised(values, 95.0, "lower", "min-max")  # the worst is 195
    assert lower[[200, 195, 145, 95, 0]].tolist() == [0.0, 0.0, 50.0, 100.0, 100.0]


def test_shares_of_a_target_are_capped_and_zero_is_best_where_lower_is() -> None:
    assert normalised(np.array([30.0, 90.0, np.nan]), 60.0, "higher", "target").tolist()[:2] == [50.0, 100.0]
    assert normalised(np.array([0.0, 20.0, 40.0]), 20.0, "lower", "target").tolist() == [100.0, 100.0, 50.0]
    assert normalised(np.array([0.9, 1.1]), 1.0, "nearest", "target").tolist() == pytest.approx([90.0, 90.0])


def test_a_missing_figure_takes_its_weight_with_it() -> None:
    scores = np.array([[80.0, np.nan], [80.0, 20.0]])
    assert aggregated(scores, equal(2), "arithmetic")[:, 0].tolist() == [80.0, 50.0]
    assert np.isnan(aggregated(np.array([[np.nan]]), equal(1), "arithmetic")[0, 0])


def test_a_score_of_zero_ranks_last_in_a_geometric_mean() -> None:
    scores = np.array([[0.0, 100.0], [1.0, 1.0]])
    total = aggregated(scores, equal(2), "geometric")
    assert total[:, 0].tolist() == pytest.approx([0.0, 1.0])
    assert ranked(total)[:, 0].tolist() == [2.0, 1.0]


def test_categories_weigh_alike() -> None:
    assert by_category(["a", "a", "b"])[:, 0].tolist() == [0.25, 0.25, 0.5]


scores_of = st.lists(st.lists(st.floats(1, 100), min_size=3, max_size=3), min_size=1, max_size=10)


@given(scores_of, st.integers(0, 100))
def test_a_geometric_mean_is_never_above_the_arithmetic_one(rows: list[list[float]], seed: int) -> None:
    scores, weights = np.array(rows), drawn(3, 5, seed)
    assert weights.sum(axis=0) == pytest.approx(np.ones(5))
    assert (aggregated(scores, weights, "geometric") <= aggregated(scores, weights, "arithmetic") + 1e-9).all()


POINTS: list[Point] = [("EC:ICT:ICT:2C", ""), ("EC:I:WS:3C", ""), ("SC:SH:SI:4C", "")]


def targets(*directions: Direction) -> dict[Point, Target]:
    return {p: Target(code=p[0], part=p[1], value=50.0, direction=d) for p, d in zip(POINTS, directions, strict=True)}


def test_a_city_that_is_better_everywhere_is_first_whatever_the_choice() -> None:
    values = {c: dict.fromkeys(POINTS, v) for c, v in (("best", 45.0), ("middle", 30.0), ("last", 10.0))}
    found = workbench(values, targets("higher", "higher", "higher"), Choice(draws=100))
    assert [s.city for s in found.standings] == ["best", "middle", "last"]
    best = found.standings[0]
    assert (best.low, best.high, best.first) == (1.0, 1.0, 1.0)
    assert best.score == pytest.approx(90.0)


def test_the_interval_of_two_cities_that_lead_in_one_figure_each_is_half_and_half() -> None:
    """With two figures and mirrored scores each is first in half of the weightings, by symmetry.

    In a geometric mean of min-max scores both have a 0 and share the first rank: (3 x 1/2 + 1) / 4 in all.
    """
    values = {"a": {POINTS[0]: 40.0, POINTS[2]: 20.0}, "b": {POINTS[0]: 20.0, POINTS[2]: 40.0}}
    wanted = {p: Target(code=p[0], value=50.0, direction="higher") for p in (POINTS[0], POINTS[2])}
    found = {s.city: s for s in workbench(values, wanted, Choice(draws=1000)).standings}
    assert found["a"].first == pytest.approx(0.625, abs=0.05)
    assert (found["a"].low, found["a"].high) == (1.0, 2.0)


@pytest.mark.parametrize("weights", ["equal", "category"])
def test_without_any_figure_nobody_has_a_rank(weights: Any) -> None:
    found = workbench({"a": {}, "b": {}}, targets("higher", "lower", "higher"), Choice(draws=10, weights=weights))
    assert {(s.rank, s.score, s.figures) for s in found.standings} == {(None, None, 0)}
    assert found.bounds == ()


def test_a_city_without_figures_has_no_rank() -> None:
    values = {"a": dict.fromkeys(POINTS, 40.0), "empty": {}}
    found = {s.city: s for s in workbench(values, targets("higher", "lower", "higher"), Choice(draws=10)).standings}
    assert (found["empty"].rank, found["empty"].score, found["empty"].figures) == (None, None, 0)
    assert found["a"].rank == 1


@given(st.integers(0, 50))
def test_the_same_seed_gives_the_same_intervals(seed: int) -> None:
    values = {c: {p: float((i * 7 + k * 3) % 40 + 5) for k, p in enumerate(POINTS)} for i, c in enumerate("abcd")}
    wanted, choice = targets("higher", "lower", "higher"), Choice(draws=20, seed=seed)
    assert workbench(values, wanted, choice) == workbench(values, wanted, choice)
