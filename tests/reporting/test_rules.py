"""The verifiers' rules: what is rejected, with the rule it breaks, and what is looked into."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporting.figures.reported import Reported
from reporting.figures.rules import Context, Finding, check

MODES = ("private", "public", "walking", "cycling", "para")


def figure(code: str, value: float, part: str = "", year: int = 2018, **more: Any) -> Reported:
    return Reported(code=code, part=part, year=year, value=value, quality="measured", source="office", **more)


def rejected(*figures: Reported, **context: Any) -> list[tuple[str, str]]:
    return [(f.code, f.rule) for f in check(figures, Context(**context)) if f.rejected]


def looked_into(*figures: Reported, **context: Any) -> list[Finding]:
    found = check(figures, Context(**context))
    assert not [f for f in found if f.rejected]
    return found


def shares(*values: float) -> list[Reported]:
    return [figure("EC:I:T:4A", v, mode) for v, mode in zip(values, MODES, strict=True)]


def test_karmoy_2020_breaks_no_rule() -> None:
    """The values of the verification report of Karmoy 2020, p14."""
    published = {
        "EC:ICT:ICT:1C": 97.0, "EC:ICT:ICT:2C": 84.51, "EC:ICT:ICT:3C": 95424, "EC:ICT:ICT:5A": 78,
        "EC:ICT:WS:1C": 27.27, "EC:ICT:WS:2A": 9.98, "EC:ICT:D:1A": 0.0, "EC:I:WS:1C": 100.0, "EC:I:WS:2C": 97.07,
        "EC:I:WS:3C": 35.42, "EC:I:WS:4C": 81.57, "EC:I:WS:5C": 100.0,
    }  # fmt: skip
    coverage = [figure("EC:ICT:ICT:4C", 96.67, part) for part in ("3G", "4G")]
    assert looked_into(*coverage, *(figure(code, value) for code, value in published.items())) == []


@pytest.mark.parametrize("total", [98.0, 100.0, 102.0])
def test_shares_may_sum_to_100_give_or_take_2(total: float) -> None:
    assert rejected(*shares(50, 20, 20, 5, total - 95)) == []


@pytest.mark.parametrize("total", [97.9, 102.1])
def test_shares_that_do_not_sum_to_100_are_refused(total: float) -> None:
    assert rejected(*shares(50, 20, 20, 5, total - 95)) == [("EC:I:T:4A", "shares sum to 100")]


def test_shares_of_which_some_are_missing_are_looked_into() -> None:
    [found] = looked_into(*shares(50, 20, 20, 5, 5)[:3])
    assert "without cycling, para" in found.text


def test_a_later_stage_of_treatment_cannot_treat_more() -> None:
    stages = [figure("EN:EN:WS:4C", v, p) for p, v in (("primary", 90.0), ("secondary", 80.0), ("tertiary", 81.0))]
    assert rejected(*stages) == [("EN:EN:WS:4C", "tertiary <= secondary <= primary")]
    assert rejected(stages[0], stages[2]) == []


def test_potable_water_is_a_part_of_basic_supply() -> None:
    assert rejected(figure("EC:I:WS:1C", 95.0), figure("EC:I:WS:2C", 95.1)) == [("EC:I:WS:2C", "potable below basic")]
    assert rejected(figure("EC:I:WS:1C", 95.0), figure("EC:I:WS:2C", 94.0)) == []


@pytest.mark.parametrize(("code", "value"), [("EC:ICT:ICT:1C", 100.1), ("SC:SH:SI:2C", 1.01), ("SC:SH:SA:2C", 101.0)])
def test_a_figure_beyond_its_range_is_refused(code: str, value: float) -> None:
    assert rejected(figure(code, value)) == [(code, "range")]


def test_school_enrolment_may_exceed_100_percent() -> None:
    assert rejected(figure("SC:EH:ED:2C", 104.0, numerator=1040.0, denominator=1000.0)) == []


def test_yes_or_no_is_nothing_between() -> None:
    assert rejected(figure("SC:SH:SA:3A", 0.5)) == [("SC:SH:SA:3A", "yes or no")]


def test_a_denominator_5_percent_off_the_population_is_looked_into() -> None:
    off = figure("SC:EH:H:3C", 300.0, numerator=300.0, denominator=1.06)
    [found] = looked_into(off, denominators={"population": 100_000.0})
    assert (found.rule, found.page) == ("denominators within 5 %", "p31")
    near = figure("SC:EH:H:3C", 300.0, numerator=300.0, denominator=1.05)
    assert looked_into(near, denominators={"population": 100_000.0}) == []


def test_a_change_of_10_percent_between_years_is_looked_into() -> None:
    earlier = [figure("SC:EH:H:3C", 200.0, year=2015), figure("SC:EH:H:3C", 270.0, year=2017)]
    [found] = looked_into(figure("SC:EH:H:3C", 300.0), earlier=earlier)
    assert "11.1 % from 270 of 2017" in found.text
    assert looked_into(figure("SC:EH:H:3C", 297.0), earlier=earlier) == []


def test_households_that_jump_by_5_percent_between_years_are_looked_into() -> None:
    earlier = [figure("EC:ICT:ICT:1C", 90.0, year=2017, numerator=90.0, denominator=100.0)]
    found = looked_into(figure("EC:ICT:ICT:1C", 90.0, numerator=96.3, denominator=107.0), earlier=earlier)
    assert [f.rule for f in found] == ["years within 5 %"]


def test_unusual_figures_are_looked_into() -> None:
    assert [f.page for f in looked_into(figure("EC:I:ES:3C", 89.0))] == ["p77"]
    assert [f.page for f in looked_into(figure("EC:ICT:ES:1C", 20.0), figure("EC:ICT:WS:1C", 30.0))] == ["p44"]


def test_a_figure_far_from_what_the_sensors_give_is_looked_into() -> None:
    air = figure("EN:EN:AQ:1C", 12.0, "pm10")
    [found] = looked_into(air, derived={("EN:EN:AQ:1C", "pm10"): 14.7953})
    assert "derived from readings" in found.text
    assert looked_into(air, derived={("EN:EN:AQ:1C", "pm10"): 12.5}) == []


@given(st.lists(st.floats(0, 100), min_size=5, max_size=5))
def test_shares_are_refused_exactly_when_their_sum_is_off(values: list[float]) -> None:
    off = not 98.0 <= round(sum(values), 9) <= 102.0
    assert bool(rejected(*shares(*values))) == off
