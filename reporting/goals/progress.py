"""The rate a goal needs and the rate it has, and the verdict of the two. Pure.

Growth form: the yearly growth that leads from the baseline to the target, and the one that led to the newest value.
Linear form, where the target, the baseline or the value can be 0: share of the way over share of the time. The verdict
is Eurostat's for indicators with a target: 95 % of the needed rate and more on track, from 60 % moderate, from 0 %
insufficient, below 0 moving away. The thresholds are from secondary sources.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Literal

import msgspec

from reporting.scoring import Direction

Form = Literal["growth", "linear"]
Verdict = Literal["met", "on track", "moderate", "insufficient", "moving away", "unknown"]
_LIMITS: tuple[tuple[float, Verdict], ...] = ((0.95, "on track"), (0.60, "moderate"), (0.0, "insufficient"))


class Goal(msgspec.Struct, frozen=True, kw_only=True):
    """A target. `interim`: (year, value) in the order of years. `form` None: growth where it is possible."""

    value: float
    direction: Direction
    year: int | None = None
    baseline: float | None = None
    baseline_year: int | None = None
    interim: tuple[tuple[int, float], ...] = ()
    form: Form | None = None


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How a value of `year` stands against a goal. `needed`, `actual`: growth a year, or shares of the way and time.

    `ratio`: actual over needed; None with a sentence in `why`. `expected`: the value of a steady way through the
    interim points; `interim_met`: whether the last interim point that has passed is reached.
    """

    year: int
    value: float
    form: Form
    needed: float | None
    actual: float | None
    ratio: float | None
    verdict: Verdict
    expected: float | None
    interim_met: bool | None
    why: str = ""


def is_met(value: float, target: float, direction: Direction) -> bool:
    """Whether a value reaches the target."""
    if direction == "nearest":
        return value == target
    return value >= target if direction == "higher" else value <= target


def form_of(goal: Goal, value: float) -> Form:
    """The form that is used: growth has no meaning where a value is 0, nor towards a nearest value."""
    possible = goal.direction != "nearest" and goal.value > 0 and (goal.baseline or 0) > 0 and value > 0
    return goal.form if goal.form and (possible or goal.form == "linear") else "growth" if possible else "linear"


def progress(goal: Goal, year: int, value: float) -> Progress:
    """The progress of the value of `year`."""
    form = form_of(goal, value)
    needed = actual = ratio = None
    why = _why_not(goal, year)
    if not why:
        needed, actual = _growth(goal, year, value) if form == "growth" else _linear(goal, year, value)
        ratio = actual / needed if needed else None
    met = is_met(value, goal.value, goal.direction)
    verdict: Verdict = "met" if met else "unknown" if ratio is None else verdict_of(ratio)
    if not met and why.startswith("the deadline"):
        verdict = "insufficient"
    return Progress(
        year=year, value=value, form=form, needed=needed, actual=actual, ratio=ratio, verdict=verdict,
        expected=expected(goal, year, form), interim_met=_interim_met(goal, year, value), why=why,
    )  # fmt: skip


def verdict_of(ratio: float) -> Verdict:
    """The verdict of actual over needed rate; exactly 95 and 60 % are in the better class."""
    exact = round(ratio, 12)
    return next((verdict for limit, verdict in _LIMITS if exact >= limit), "moving away")


def _why_not(goal: Goal, year: int) -> str:
    """Why there is no ratio; empty where there is one."""
    x0, y0, deadline = goal.baseline, goal.baseline_year, goal.year
    why = ""
    if deadline is None:
        why = "no deadline is set: add year"
    elif x0 is None or y0 is None:
        why = "no baseline is set: add baseline and baseline_year"
    elif year > deadline:
        why = f"the deadline {deadline} is over"
    elif year <= y0:
        why = f"no time has passed since the baseline of {y0}"
    elif x0 == goal.value:
        why = "the baseline equals the target"
    elif goal.direction != "nearest" and is_met(x0, goal.value, goal.direction):
        why = f"the baseline {x0:g} is better than the target {goal.value:g} already, where {goal.direction} is better"
    return why


def _growth(goal: Goal, year: int, value: float) -> tuple[float, float]:
    x0, y0, deadline = goal.baseline or 0.0, goal.baseline_year or 0, goal.year or 0
    return (goal.value / x0) ** (1 / (deadline - y0)) - 1, (value / x0) ** (1 / (year - y0)) - 1


def _linear(goal: Goal, year: int, value: float) -> tuple[float, float]:
    """Share of the time, and share of the way (towards a nearest value: of the distance)."""
    x0, y0, deadline = goal.baseline or 0.0, goal.baseline_year or 0, goal.year or 0
    if goal.direction == "nearest":
        way = 1 - abs(value - goal.value) / abs(x0 - goal.value)
    else:
        way = (value - x0) / (goal.value - x0)
    return (year - y0) / (deadline - y0), way


def expected(goal: Goal, year: float, form: Form) -> float | None:
    """The value at a time on a steady way from the baseline through the interim points; None outside of them."""
    if goal.baseline is None or goal.baseline_year is None or goal.year is None:
        return None
    points = [(goal.baseline_year, goal.baseline), *goal.interim, (goal.year, goal.value)]
    for (y0, x0), (y1, x1) in itertools.pairwise(points):
        if y0 <= year <= y1:
            share = (year - y0) / (y1 - y0)
            steady = form == "growth" and x0 > 0 and x1 > 0
            return float(x0 * (x1 / x0) ** share) if steady else x0 + (x1 - x0) * share
    return None


def _interim_met(goal: Goal, year: int, value: float) -> bool | None:
    passed: Sequence[tuple[int, float]] = [point for point in goal.interim if point[0] <= year]
    return is_met(value, passed[-1][1], goal.direction) if passed else None
