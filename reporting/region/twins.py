"""Two cities side by side: where the other one is ahead, only where methods and units agree; and what it did. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from registry.city import City
from registry.target import Practice
from reporting.comparison import compare
from reporting.figures.points import Point
from reporting.region.table import Member, as_compared
from reporting.scoring import Target, performance


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """One figure: both values, both performances against the same target, and theirs - ours (0 to 1)."""

    code: str
    part: str
    name: str
    unit: str
    ours: float
    theirs: float
    target: float
    our_performance: float
    their_performance: float
    gap: float
    practices: tuple[str, ...] = ()


class Twins(msgspec.Struct, frozen=True, kw_only=True):
    """The gaps, largest first, and the figures that both have and that cannot be compared, with the reason."""

    ours: str
    theirs: str
    gaps: tuple[Gap, ...]
    left_out: dict[str, str]


def twins(ours: Member, theirs: Member, targets: dict[Point, Target]) -> Twins:
    """`targets`: those of our city; performance needs one."""
    gaps, left_out = [], {}
    for line in compare(as_compared([ours, theirs])):
        a, b = line.values[ours.id], line.values[theirs.id]
        if a is None or b is None:
            continue
        point = (line.code, line.part)
        target = targets.get(point)
        differ = [n for n in line.notes if "differ" in n]
        if differ or target is None:
            left_out[" ".join(point).rstrip()] = differ[0] if differ else "no target is set"
            continue
        mine, other = (min(performance(max(v, 0.0), target.value, target.direction), 1.0) for v in (a, b))
        gaps.append(
            Gap(
                code=line.code, part=line.part, name=line.name, unit=line.unit, ours=a, theirs=b, target=target.value,
                our_performance=mine, their_performance=other, gap=other - mine,
                practices=tuple(p.text for p in practices_of(theirs.city, line.code)),
            )
        )  # fmt: skip
    ordered = sorted(gaps, key=lambda g: (-g.gap, g.code, g.part))
    return Twins(ours=ours.id, theirs=theirs.id, gaps=tuple(ordered), left_out=left_out)


def practices_of(city: City, code: str) -> Sequence[Practice]:
    """What the city reports to have done for a KPI."""
    return [p for p in city.practice if p.code == code]
