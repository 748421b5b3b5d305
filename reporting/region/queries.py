"""Queries of commands and the API about a region, from a store: profile, heat map, peers, twins, index."""

from __future__ import annotations

from collections.abc import Sequence

from reporting.figures.points import Point, unit_of
from reporting.index.workbench import Choice, Result, workbench
from reporting.region.heat_map import HeatMap, heat_map
from reporting.region.profile import Profile, profiles
from reporting.region.statistics import Distance, gower
from reporting.region.table import Cities, Member, cities_of, members, variables_of
from reporting.region.twins import Twins, twins
from reporting.scoring import Target
from reporting.targets import stored_targets
from telemetry.errors import UsageError


def region_profile(store: Cities, period: str, region: str = "", group: str = "") -> list[Profile]:
    """A profile for each figure. Raises UsageError."""
    return profiles(members(store, cities_of(store, region, group), period))


def region_heat_map(store: Cities, period: str, region: str = "", group: str = "") -> HeatMap:
    """The scores of all cities by category. Raises UsageError."""
    return heat_map(members(store, cities_of(store, region, group), period))


def peers(store: Cities, city: str, count: int = 10) -> list[Distance]:
    """The cities most like this one. Raises UsageError where no variable is set."""
    every = cities_of(store)
    cities_of(store, ids=[city])
    variables = {c.id: variables_of(c) for c in every}
    if all(v is None for v in variables[city].values()):
        known = ", ".join(variables[city])
        raise UsageError(f"'{city}' has none of the variables that peers are found by; set some in [city]: {known}.")
    return gower(variables, city)[:count]


def region_twins(store: Cities, ours: str, theirs: str, period: str) -> Twins:
    """The gaps between two cities. Raises UsageError."""
    if ours == theirs:
        raise UsageError("Name two different cities.")
    found = {m.id: m for m in members(store, cities_of(store, ids=[ours, theirs]), period)}
    return twins(found[ours], found[theirs], stored_targets(found[ours].city))


def region_index(store: Cities, period: str, choice: Choice, region: str = "", group: str = "") -> Result:
    """The workbench over the cities of a region. Raises UsageError where no target is set, or no value is there."""
    found = members(store, cities_of(store, region, group), period)
    wanted = common_targets(found)
    if not wanted:
        raise UsageError("No city has a target; set [[target]] entries, or import with --targets.")
    values = {m.id: _values(m, wanted) for m in found}
    if not any(values.values()):
        raise UsageError(f"No city has a value of {period} for a figure with a target.")
    return workbench(values, wanted, choice)


def common_targets(found: Sequence[Member]) -> dict[Point, Target]:
    """The targets that all cities have with the same value: an index cannot measure cities against different ones."""
    every = [stored_targets(m.city) for m in found]
    first = every[0] if every else {}
    return {p: t for p, t in first.items() if all(p in of and of[p].value == t.value for of in every)}


def _values(member: Member, wanted: dict[Point, Target]) -> dict[Point, float]:
    return {
        (f.code, f.part): max(f.value, 0.0)
        for f in member.figures
        if f.value is not None and (f.code, f.part) in wanted and f.unit == unit_of(f.kpi, f.part)
    }
