"""A region's profile in both readings: the mean of its cities' evaluations, and its value as one area. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import msgspec

from reporting.comparison import Line, compare
from reporting.figures.points import Point
from reporting.region.statistics import Quartiles, far, quartiles
from reporting.region.table import Member, as_compared
from reporting.scoring import Scored


class Far(msgspec.Struct, frozen=True, kw_only=True):
    """A city whose value is far from its group's."""

    city: str
    group: str
    value: float
    z: float


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """One figure of a region.

    `performance`, `points`: means of the cities' evaluations (performance capped at 1), over `scored` cities. `value`:
    of the region as one area, made as `how` says. `reported` of `cities` have a value; `people`: their share of the
    inhabitants. `far`: see `statistics.far`; `too_few`: the groups that are too small to say.
    """

    code: str
    part: str
    name: str
    unit: str
    cities: int
    reported: int
    performance: float | None
    points: float | None
    scored: int
    value: float | None
    how: str
    quartiles: Quartiles | None
    people: float | None
    inhabitants: float
    best: str
    far: tuple[Far, ...]
    too_few: tuple[str, ...]
    notes: tuple[str, ...]


def profiles(members: Sequence[Member]) -> list[Profile]:
    """A profile for each figure that at least one city has, in the catalogue's order."""
    scored: dict[Point, list[Scored]] = {}
    for member in members:
        for point, item in member.scores.items.items():
            scored.setdefault(point, []).append(item)
    groups = {m.id: m.city.city.group for m in members}
    people = {m.id: m.city.city.population or 0.0 for m in members}
    lines = compare(as_compared(members))
    return [_profile(line, scored.get((line.code, line.part), []), groups, people) for line in lines]


def _profile(line: Line, scored: Sequence[Scored], groups: Mapping[str, str], people: Mapping[str, float]) -> Profile:
    known = {c: v for c, v in line.values.items() if v is not None}
    distant, few = _far(known, groups)
    return Profile(
        code=line.code, part=line.part, name=line.name, unit=line.unit, cities=len(line.values), reported=len(known),
        performance=_mean([min(s.performance, 1.0) for s in scored]), points=_mean([float(s.points) for s in scored]),
        scored=len(scored), value=line.region.value, how=line.region.how, quartiles=quartiles(list(known.values())),
        people=line.region.people, inhabitants=math.fsum(people[c] for c in known),
        best=min((c for c, rank in line.ranks.items() if rank == 1), default=""), far=distant, too_few=few,
        notes=line.notes,
    )  # fmt: skip


def _mean(values: Sequence[float]) -> float | None:
    return math.fsum(values) / len(values) if values else None


def _far(known: Mapping[str, float], groups: Mapping[str, str]) -> tuple[tuple[Far, ...], tuple[str, ...]]:
    by_group: dict[str, dict[str, float]] = {}
    for city, value in known.items():
        by_group.setdefault(groups[city], {})[city] = value
    found, few = list[Far](), list[str]()
    for group, values in sorted(by_group.items()):
        distant = far(values)
        if distant is None:
            few.append(group)
        else:
            found += [Far(city=c, group=group, value=values[c], z=z) for c, z in distant.items()]
    return tuple(found), tuple(few)
