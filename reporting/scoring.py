"""Points and scores, exactly as published (factsheets and verification reports of U4SSC, 2020 and 2021). Pure.

A figure's performance is its share of the benchmark; four bands give 1 to 4 points; a category's score is its points
over four times its scored figures. Figures that are not reported and figures without a benchmark are excluded, never
counted as zero.

The publisher gives no numbers for the benchmarks (except one worked example) and no formula where lower is better. The
targets are therefore the city's own, and `target / value`, capped at 1, is a choice of CityVitals, stated with each
score.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

Direction = Literal["higher", "lower", "nearest"]

BANDS = ("0-33 %", "33-66 %", "66-95 %", "95+ %")
OUR_CHOICE = "targets are the city's own, not the publisher's; where lower is better performance is target / value"


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """A city's target, in the figure's unit, and its source."""

    code: str
    part: str = ""
    value: float
    direction: Direction
    source: str = ""


class Scored(msgspec.Struct, frozen=True, kw_only=True):
    """A figure against its target: `performance` 0..1 (over 1 where higher is better and the target is passed)."""

    code: str
    part: str
    value: float
    target: Target
    performance: float
    points: int


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """Points of a group of figures; `share` is points / (4 x figures), None where no figure is scored."""

    points: int = 0
    items: int = 0

    @property
    def share(self) -> float | None:
        """0..1; at least 0.25, because every scored figure has at least one point."""
        return self.points / (4 * self.items) if self.items else None

    @property
    def band(self) -> int | None:
        """1 to 4, None where nothing is scored."""
        return None if self.share is None else points_of(self.share)


def performance(value: float, target: float, direction: Direction) -> float:
    """`value` as a share of `target`; both in the same unit, not negative.

    Where the nearest value is best, one minus the distance as a share of the target, not below 0.
    Raises ValueError where higher is better and the target is 0, which every value reaches.
    """
    if value < 0 or target < 0:
        raise ValueError("a value or a target below 0 cannot be scored")
    if direction == "lower":
        return min(target / value, 1.0) if value else 1.0
    if target == 0:
        raise ValueError(f"a target of 0 where {direction} is better cannot be scored; set a target above 0")
    if direction == "nearest":
        return max(1.0 - abs(value - target) / target, 0.0)
    return value / target


def points_of(share: float) -> int:
    """1 to 4. The top band starts above 95 % (published); exactly 33 % and 66 % belong to the upper band (a choice)."""
    exact = round(share, 12)  # rounded, so that 39.6 of 60 is exactly 66 %
    return 4 if exact > 0.95 else 3 if exact >= 0.66 else 2 if exact >= 0.33 else 1


def scored(value: float, target: Target) -> Scored:
    """One figure against its target."""
    reached = performance(value, target.value, target.direction)
    return Scored(
        code=target.code, part=target.part, value=value, target=target, performance=reached, points=points_of(reached)
    )


def total(items: Iterable[Scored]) -> Score:
    """The score of a group: category, sub-dimension, dimension or city."""
    found = [item.points for item in items]
    return Score(points=sum(found), items=len(found))


def by_group(items: Sequence[Scored], group_of: dict[str, str]) -> dict[str, Score]:
    """A score for each group of codes, `Score()` where none of its figures is scored; in the order of `group_of`."""
    members: dict[str, list[Scored]] = {group: [] for group in group_of.values()}
    for item in items:
        members[group_of[item.code]].append(item)
    return {group: total(found) for group, found in members.items()}
