"""Cities side by side, and a region's profile. Pure.

Values are ranked and put together only where they are comparable (`basis`); else the difference is named. How a
region's value is made of its cities' is declared by each KPI (`aggregate`). Cities without a value or the weight are
excluded; each value states the share of the region's population that it represents.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence

import msgspec

from kpi_derivation.catalogue import KPIS
from reporting.aggregate import Contribution, aggregate
from reporting.basis import basis_of, coverages_differ, differences
from reporting.figures.figures import Figure
from reporting.figures.points import Point, unit_of
from reporting.targets import better


class CityFigures(msgspec.Struct, frozen=True, kw_only=True):
    """One city's figures of a period. `weights`: keys of [city] and their figures, by which values are weighted."""

    id: str
    name: str
    population: float | None
    figures: Sequence[Figure]
    weights: Mapping[str, float | None] = {}


class Region(msgspec.Struct, frozen=True, kw_only=True):
    """A region's value of one figure. `people`: share of the region's population in the cities with a value."""

    value: float | None
    how: str
    cities: int
    people: float | None
    lowest: float | None
    highest: float | None


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One figure over all cities: values by city id, rank by city id (1 is best) where a direction is known."""

    code: str
    part: str
    name: str
    unit: str
    values: dict[str, float | None]
    ranks: dict[str, int]
    region: Region
    notes: tuple[str, ...]


def ranks(values: Mapping[str, float], direction: str) -> dict[str, int]:
    """1 for the best; equal values share a rank, and the next one follows after as many. Empty without a direction."""
    if direction not in ("higher", "lower"):
        return {}
    sign = -1 if direction == "higher" else 1
    ordered = sorted(sign * value for value in values.values())
    return {city: 1 + bisect_left(ordered, sign * value) for city, value in values.items()}


def compare(cities: Sequence[CityFigures]) -> list[Line]:
    """A line for each figure that at least one city has, in the catalogue's order."""
    by_city = {c.id: {(f.code, f.part): f for f in c.figures} for c in cities}
    points = dict.fromkeys(point for found in by_city.values() for point in found)
    lines = [_line(point, cities, {c: found.get(point) for c, found in by_city.items()}) for point in points]
    return [line for line in lines if any(v is not None for v in line.values.values())]


def _line(point: Point, cities: Sequence[CityFigures], figures: Mapping[str, Figure | None]) -> Line:
    code, part = point
    there = {c: f for c, f in figures.items() if f is not None and f.value is not None}
    known = {c: f.value for c, f in there.items() if f.value is not None}
    units = {f.unit for f in there.values()}
    differ = differences(basis_of(f) for f in there.values())
    uneven = coverages_differ(there.values())
    kpi = KPIS[code]
    unit = next(iter(units)) if len(units) == 1 else unit_of(kpi, part)
    return Line(
        code=code, part=part, name=kpi.name, unit=unit,
        values={c.id: known.get(c.id) for c in cities},
        ranks=ranks(known, better(code, part)) if not differ and not uneven and len(known) > 1 else {},
        region=_region([(c, there.get(c.id)) for c in cities], differ),
        notes=(*differ, *([uneven] if uneven else []), *_notes(list(there.values()))),
    )  # fmt: skip


def _region(figures: Sequence[tuple[CityFigures, Figure | None]], differ: Sequence[str]) -> Region:
    """A region's value by the KPI's own rule; none where the cities' values are not comparable."""
    known = [(c, f, f.value) for c, f in figures if f is not None and f.value is not None]
    parts = [Contribution(figure=f, value=v, weights={"population": c.population, **c.weights}) for c, f, v in known]
    made = aggregate(parts)
    people = math.fsum(c.population or 0.0 for c, _ in figures)
    counted = math.fsum(c.population or 0.0 for c, _, _ in known)
    return Region(
        value=None if differ else made.value, how="not comparable" if differ else made.how,
        cities=0 if differ else made.cities, people=counted / people if people else None,
        lowest=min((v for _, _, v in known), default=None), highest=max((v for _, _, v in known), default=None),
    )  # fmt: skip


def _notes(there: Sequence[Figure]) -> list[str]:
    """Remarks beside the differences."""
    found = []
    derived = [f.derived for f in there if f.reported is None and f.derived]
    if any(d.status == "provisional" for d in derived):
        found.append("provisional values among them")
    if any("indicative" in d.notes for d in derived):
        found.append("indicative values among them")
    devices = {d.n_devices for d in derived}
    if len(devices) > 1 and any(d.code == _BY_NUMBER for d in derived):
        found.append(f"of {min(devices)} to {max(devices)} meters: the factor falls with the number of meters")
    return found


_BY_NUMBER = "LOCAL:E:COINCIDENCE"
