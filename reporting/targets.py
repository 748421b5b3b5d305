"""A city's own targets, checked against the catalogue, and their scores. Pure.

The publisher defines one benchmark only, so every target here is set by the city, and every score states this.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

import msgspec

from kpi_derivation.catalogue import KPIS, canonical
from kpi_derivation.directions import direction_of
from kpi_derivation.growth import is_so_far
from registry.city import City
from registry.target import TargetEntry
from reporting.figures.figures import Figure
from reporting.figures.points import Point, part_named, u4ssc, unit_of
from reporting.scoring import Score, Scored, Target, by_group, scored
from telemetry.errors import UsageError, nearest

log = logging.getLogger(__name__)


class Scores(msgspec.Struct, frozen=True, kw_only=True):
    """The scored figures and the score of every group; categories are the 22 names, in the catalogue's order."""

    items: dict[Point, Scored]
    categories: dict[str, Score]
    sub_dimensions: dict[str, Score]
    dimensions: dict[str, Score]


def targets(entries: Iterable[TargetEntry]) -> dict[Point, Target]:
    """Targets by figure. Raises UsageError that names the entry and the correction."""
    found, problems = usable(entries)
    for number, why in problems.items():
        raise UsageError(f"[[target]] number {number + 1}: {why}.")
    return found


def usable(entries: Iterable[TargetEntry]) -> tuple[dict[Point, Target], dict[int, str]]:
    """The targets that can be used, by figure; and by number from 0, why the others cannot."""
    found: dict[Point, Target] = {}
    problems: dict[int, str] = {}
    for number, entry in enumerate(entries):
        try:
            target = _target(entry)
        except ValueError as error:
            problems[number] = str(error)
            continue
        if (target.code, target.part) in found:
            problems[number] = f"{target.code} {target.part} has two targets; remove one".replace("  ", " ")
            continue
        found[target.code, target.part] = target
    return found, problems


def stored_targets(city: City) -> dict[Point, Target]:
    """The usable targets of a stored city; the others are logged and left out."""
    found, problems = usable(city.target)
    for number, why in problems.items():
        log.warning("%s: [[target]] number %d is left out: %s", city.id, number + 1, why)
    return found


def _target(entry: TargetEntry) -> Target:
    code = canonical(entry.code)
    if code is None:
        raise ValueError(f"there is no KPI '{entry.code}'; {nearest(entry.code, KPIS).rstrip('.')}")
    part = part_named(KPIS[code], entry.part) if KPIS[code].level != "local" else entry.part
    direction = better(code, part) or entry.direction
    if direction not in ("higher", "lower", "nearest"):
        raise ValueError(f'{code} needs a direction; add direction = "higher" or "lower" for the better one')
    if entry.direction not in (None, direction):
        raise ValueError(f"for {code} {direction} is better; remove direction")
    if direction != "lower" and entry.value == 0:
        raise ValueError(f"the target of {code} is 0 and {direction} is better; set a value above 0")
    return Target(code=code, part=part, value=entry.value, direction=direction, source=entry.source)  # type: ignore[arg-type]


def better(code: str, part: str) -> str:
    """Which direction of a data point is better; "" where none is known."""
    return KPIS[code].direction if KPIS[code].level == "local" else direction_of(code, part).better


def score(figures: Sequence[Figure], wanted: dict[Point, Target]) -> Scores:
    """Every figure that is reported and has a target, and the groups. Local KPIs are in no group.

    A value of a shorter period in another unit (kWh per head instead of per head and year) is not scored, nor is the
    sum of a period that is not over.
    """
    items = {
        point: scored(max(f.value, 0.0), wanted[point])
        for f in figures
        if f.value is not None
        and (point := (f.code, f.part)) in wanted
        and f.unit == unit_of(f.kpi, f.part)
        and not (f.reported is None and f.derived and is_so_far(f.derived))
    }
    codes = {kpi.code: kpi for kpi in u4ssc()}
    official = [item for (code, _), item in items.items() if code in codes]
    return Scores(
        items=items,
        categories=by_group(official, {c: k.category for c, k in codes.items()}),
        sub_dimensions=by_group(official, {c: k.sub_dimension for c, k in codes.items()}),
        dimensions=by_group(official, {c: k.dimension for c, k in codes.items()}),
    )
