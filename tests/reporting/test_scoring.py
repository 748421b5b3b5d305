"""The published scoring: golden cases from factsheets and reports, and the laws of the formula."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporting.scoring import Scored, Target, by_group, performance, points_of, scored, total

BROADBAND = Target(code="EC:ICT:ICT:2C", value=60.0, direction="higher")


def of_points(*points: int) -> list[Scored]:
    """Broadband figures that earn these points."""
    found = [scored({1: 10.0, 2: 30.0, 3: 50.0, 4: 60.0}[p], BROADBAND) for p in points]
    assert [item.points for item in found] == list(points)
    return found


def test_education_with_1_3_4_and_1_points_scores_56_25_percent() -> None:
    score = total(of_points(1, 3, 4, 1))
    assert (score.points, score.items, score.share, score.band) == (9, 4, 0.5625, 2)


def test_three_reported_of_a_category_score_75_percent() -> None:
    score = total(of_points(3, 4, 2))
    assert (score.share, score.band) == (0.75, 3)


@pytest.mark.parametrize(
    ("percent", "points"),
    [(100, 4), (60, 4), (57.1, 4), (57.0, 3), (39.6, 3), (39.5, 2), (19.8, 2), (19.7, 1), (0, 1)],
)
def test_fixed_broadband_has_the_published_thresholds(percent: float, points: int) -> None:
    """60 % of households is 100 %; the top band is more than 57.0 (factsheet of Mashhad, 2021)."""
    assert scored(percent, BROADBAND).points == points


def test_karmoy_2020_has_reached_the_broadband_target() -> None:
    assert scored(84.51, BROADBAND).performance == pytest.approx(1.4085)
    assert scored(84.51, BROADBAND).points == 4


def test_what_is_not_reported_is_left_out_and_not_zero() -> None:
    groups = {"EC:ICT:ICT:2C": "ICT", "EC:P:IN:2C": "Innovation"}
    found = by_group(of_points(4), groups)
    assert found["ICT"].share == 1.0
    assert (found["Innovation"].share, found["Innovation"].band) == (None, None)


def test_where_lower_is_better_reaching_the_target_is_all() -> None:
    assert performance(20.0, 10.0, "lower") == 0.5
    assert performance(5.0, 10.0, "lower") == 1.0
    assert performance(0.0, 0.0, "lower") == 1.0


def test_a_target_of_zero_where_higher_is_better_is_refused() -> None:
    with pytest.raises(ValueError, match="set a target above 0"):
        performance(5.0, 0.0, "higher")
    with pytest.raises(ValueError, match="below 0"):
        performance(-1.0, 5.0, "higher")


POSITIVE = st.floats(0.001, 1e6)


@given(POSITIVE, POSITIVE, st.floats(1.0, 10.0))
def test_a_better_value_never_scores_less(value: float, target: float, factor: float) -> None:
    assert points_of(performance(value * factor, target, "higher")) >= points_of(performance(value, target, "higher"))
    assert points_of(performance(value / factor, target, "lower")) >= points_of(performance(value, target, "lower"))


@given(st.lists(st.integers(1, 4), min_size=1, max_size=20))
def test_a_score_lies_between_a_quarter_and_one(points: list[int]) -> None:
    share = total(of_points(*points)).share
    assert share is not None
    assert 0.25 <= share <= 1.0
    assert share == sum(points) / (4 * len(points))


@given(POSITIVE, POSITIVE, POSITIVE)
def test_the_unit_does_not_matter(value: float, target: float, unit: float) -> None:
    assert performance(value * unit, target * unit, "lower") == pytest.approx(performance(value, target, "lower"))
