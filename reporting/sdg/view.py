"""A city's figures by Sustainable Development Goal. Pure.

Which KPI serves which goals is the map of KS, the Norwegian association of municipalities (`sdg` in the catalogue); a
KPI may serve several. A goal's score is the mean performance of its scored figures, each at most 1; with fewer than two
there is none, because one figure does not stand for a goal.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from kpi_derivation.catalogue import Kpi
from reporting.figures.figures import Figure, official
from reporting.figures.points import u4ssc
from reporting.targets import Scores

FEWEST = 2
NAMES = (
    "No poverty", "Zero hunger", "Good health and well-being", "Quality education", "Gender equality",
    "Clean water and sanitation", "Affordable and clean energy", "Decent work and economic growth",
    "Industry, innovation and infrastructure", "Reduced inequalities", "Sustainable cities and communities",
    "Responsible consumption and production", "Climate action", "Life below water", "Life on land",
    "Peace, justice and strong institutions", "Partnerships for the goals",
)  # fmt: skip


class GoalView(msgspec.Struct, frozen=True, kw_only=True):
    """One goal. `score`: 0..1, None with fewer than two scored figures. `missing`: figures without a value."""

    number: int
    name: str
    kpis: tuple[str, ...]
    figures: int
    with_value: int
    scored: int
    score: float | None
    missing: tuple[str, ...]
    why: str


def goals_of(kpi: Kpi) -> tuple[int, ...]:
    """The goals that a KPI serves, each once, in the order of the map: target 11.6 is of goal 11."""
    return tuple(dict.fromkeys(int(text.partition(".")[0]) for text in kpi.sdg))


def kpis_by_goal() -> dict[int, tuple[str, ...]]:
    """The codes of each of the 17 goals."""
    found: dict[int, list[str]] = {number: [] for number in range(1, len(NAMES) + 1)}
    for kpi in u4ssc():
        for number in goals_of(kpi):
            found[number].append(kpi.code)
    return {number: tuple(codes) for number, codes in found.items()}


def goal_views(figures: Sequence[Figure], scores: Scores) -> list[GoalView]:
    """All 17 goals."""
    return [_view(number, codes, official(figures), scores) for number, codes in kpis_by_goal().items()]


def _view(number: int, codes: tuple[str, ...], figures: Sequence[Figure], scores: Scores) -> GoalView:
    mine = [f for f in figures if f.code in codes]
    scored = [scores.items[f.code, f.part] for f in mine if (f.code, f.part) in scores.items]
    enough = len(scored) >= FEWEST
    why = (
        "no U4SSC KPI serves this goal"
        if not codes
        else ""
        if enough
        else f"{len(scored)} of {len(mine)} figures scored"
    )
    return GoalView(
        number=number, name=NAMES[number - 1], kpis=codes, figures=len(mine),
        with_value=sum(f.value is not None for f in mine), scored=len(scored),
        score=math.fsum(min(s.performance, 1.0) for s in scored) / len(scored) if enough else None,
        missing=tuple(f"{f.code} {f.part}".rstrip() for f in mine if f.value is None), why=why,
    )  # fmt: skip
