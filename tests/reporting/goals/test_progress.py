"""Needed and actual rates against the golden case of the reference and independent arithmetic."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from reporting.goals.progress import Goal, expected, form_of, progress, verdict_of

# x0 = 100 (2015), T = 50 (2030), xt = 70 (2025).
GOLDEN = Goal(value=50, direction="lower", year=2030, baseline=100, baseline_year=2015)


def test_the_golden_case_in_growth_form() -> None:
    p = progress(GOLDEN, 2025, 70)
    assert p.form == "growth"
    assert p.needed == pytest.approx(-0.04516, abs=5e-6)
    assert p.actual == pytest.approx(-0.03504, abs=5e-6)
    assert p.ratio == pytest.approx(0.776, abs=5e-4)
    assert p.verdict == "moderate"


def test_the_golden_case_in_linear_form() -> None:
    p = progress(msgspec.structs.replace(GOLDEN, form="linear"), 2025, 70)
    assert p.needed == pytest.approx(10 / 15)
    assert p.actual == pytest.approx(30 / 50)
    assert p.ratio == pytest.approx(0.90)
    assert p.verdict == "moderate"


@pytest.mark.parametrize(
    ("ratio", "verdict"),
    [
        (0.95, "on track"), (0.9499, "moderate"), (0.60, "moderate"), (0.5999, "insufficient"), (0.0, "insufficient"),
        (-0.0001, "moving away"), (2.0, "on track"),
    ],
)  # fmt: skip
def test_the_thresholds_belong_to_the_better_class(ratio: float, verdict: str) -> None:
    assert verdict_of(ratio) == verdict


@pytest.mark.parametrize(
    ("change", "year", "value", "verdict", "why"),
    [
        ({}, 2025, 50, "met", ""),
        ({}, 2025, 49, "met", ""),
        ({}, 2031, 70, "insufficient", "the deadline 2030 is over"),
        ({}, 2031, 45, "met", "the deadline 2030 is over"),
        ({}, 2015, 100, "unknown", "no time has passed since the baseline of 2015"),
        ({"baseline": 50}, 2025, 70, "unknown", "the baseline equals the target"),
        ({"direction": "higher"}, 2025, 40, "unknown", "the baseline 100 is better than the target 50 already"),
        ({"year": None}, 2025, 70, "unknown", "no deadline is set"),
        ({"baseline": None, "baseline_year": None}, 2025, 70, "unknown", "no baseline is set"),
        ({}, 2025, 110, "moving away", ""),
    ],
)
def test_what_has_no_ratio_has_a_sentence(
    change: dict[str, Any], year: int, value: float, verdict: str, why: str
) -> None:
    p = progress(msgspec.structs.replace(GOLDEN, **change), year, value)
    assert p.verdict == verdict
    assert p.why.startswith(why)
    assert (p.ratio is None) == bool(why)


def test_a_figure_that_can_be_zero_is_measured_in_a_straight_line() -> None:
    to_zero = Goal(value=0, direction="lower", year=2030, baseline=8, baseline_year=2020)
    p = progress(to_zero, 2025, 3)
    assert (p.form, p.needed, p.actual) == ("linear", 0.5, 0.625)
    assert p.verdict == "on track"
    assert form_of(GOLDEN, 0.0) == "linear"


def test_towards_the_nearest_value_the_distance_counts() -> None:
    pay = Goal(value=1, direction="nearest", year=2030, baseline=0.8, baseline_year=2020)
    assert progress(pay, 2025, 0.9).ratio == pytest.approx(1.0)
    assert progress(pay, 2025, 1.1).ratio == pytest.approx(1.0)
    assert progress(pay, 2025, 0.7).verdict == "moving away"


def test_interim_points_bend_the_expected_way() -> None:
    goal = msgspec.structs.replace(GOLDEN, interim=((2020, 90.0),), form="linear")
    assert expected(goal, 2017.5, "linear") == 95
    assert expected(goal, 2025, "linear") == 70
    assert progress(goal, 2021, 91).interim_met is False
    assert progress(goal, 2021, 90).interim_met is True
    assert progress(goal, 2019, 99).interim_met is None
    assert expected(GOLDEN, 2022.5, "growth") == pytest.approx(math.sqrt(100 * 50))


positive = st.floats(0.01, 1e6)


@given(positive, positive, st.integers(1, 30), st.integers(1, 29))
def test_a_value_on_the_steady_way_has_the_ratio_one(x0: float, target: float, span: int, passed: int) -> None:
    assume(passed < span and abs(math.log(target / x0)) > 1e-3)
    goal = Goal(
        value=target, direction="higher" if target > x0 else "lower", year=2000 + span, baseline=x0, baseline_year=2000
    )
    at = expected(goal, 2000 + passed, "growth")
    assert at is not None
    assert progress(goal, 2000 + passed, at).ratio == pytest.approx(1.0, rel=1e-6)
