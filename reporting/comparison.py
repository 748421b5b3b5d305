"""Cities side by side, and a region's profile. Pure.

Values are compared only where they are comparable: same unit and same method, a reported and a derived value not side
by side. How a region's value is made of its cities' is declared by each KPI (`REGION` in its file). Cities without a
value or the weight are excluded; each value states the share of the region's population that it represents.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from kpi_derivation.catalogue import DERIVATIONS, KPIS
from reporting.figures.denominators import denominator_of
from reporting.figures.figures import Figure
from reporting.figures.points import Point, unit_of

_COUNTS = ("number", "count", "kWh")


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


def weighted_mean(values: Sequence[float], weights: Sequence[float]) -> float | None:
    """Sum of weight x value over the sum of the weights; None where these are 0 or there is no value."""
    whole = math.fsum(weights)
    return math.fsum(v * w for v, w in zip(values, weights, strict=True)) / whole if whole > 0 else None


def ranks(values: Mapping[str, float], direction: str) -> dict[str, int]:
    """1 for the best; equal values share a rank, and the next one follows after as many. Empty without a direction."""
    if direction not in ("higher", "lower"):
        return {}
    sign = 1 if direction == "higher" else -1
    return {city: 1 + sum(sign * other > sign * value for other in values.values()) for city, value in values.items()}


def compare(cities: Sequence[CityFigures]) -> list[Line]:
    """A line for each figure that at least one city has, in the catalogue's order."""
    by_city = {c.id: {(f.code, f.part): f for f in c.figures} for c in cities}
    points = dict.fromkeys(point for found in by_city.values() for point in found)
    lines = [_line(point, cities, {c: found.get(point) for c, found in by_city.items()}) for point in points]
    return [line for line in lines if any(v is not None for v in line.values.values())]


def _line(point: Point, cities: Sequence[CityFigures], figures: Mapping[str, Figure | None]) -> Line:
    code, part = point
    known = {c: f.value for c, f in figures.items() if f is not None and f.value is not None}
    units = {f.unit for f in figures.values() if f is not None and f.value is not None}
    methods = {_method(f) for f in figures.values() if f is not None and f.value is not None}
    comparable = len(units) < 2 and len(methods) < 2
    kpi = KPIS[code]
    unit = next(iter(units)) if len(units) == 1 else unit_of(kpi, part)
    return Line(
        code=code, part=part, name=kpi.name, unit=unit,
        values={c.id: known.get(c.id) for c in cities},
        ranks=ranks(known, kpi.direction) if comparable and len(known) > 1 else {},
        region=_region(_rule(code, unit), [(c, known.get(c.id)) for c in cities], comparable),
        notes=tuple(_notes(figures.values(), units)),
    )  # fmt: skip


def _region(rule: str, values: Sequence[tuple[CityFigures, float | None]], comparable: bool) -> Region:
    """A region's value by the KPI's own rule; see `Derivation.region`."""
    known = [(c, v) for c, v in values if v is not None]
    weights = [(v, {"population": c.population, **c.weights}.get(rule)) for c, v in known]
    used = [(v, w) for v, w in weights if w] if rule not in _PLAIN else [(v, 1.0) for _, v in known]
    numbers = [v for v, _ in used]
    plain = _PLAIN.get(rule)
    value = plain(numbers) if plain and numbers else weighted_mean(numbers, [w for _, w in used])
    people = math.fsum(c.population or 0.0 for c, _ in values)
    counted = math.fsum(c.population or 0.0 for c, _ in known)
    return Region(
        value=value if comparable else None, how=_HOW.get(rule, f"mean weighted by {rule}"), cities=len(used),
        people=counted / people if people else None, lowest=min((v for _, v in known), default=None),
        highest=max((v for _, v in known), default=None),
    )  # fmt: skip


def _mean(numbers: Sequence[float]) -> float | None:
    return math.fsum(numbers) / len(numbers) if numbers else None


_PLAIN: dict[str, Callable[[Sequence[float]], float | None]] = {
    "sum": math.fsum, "maximum": max, "mean": _mean, "none": lambda _: None,
}  # fmt: skip
_HOW = {"sum": "sum", "maximum": "highest", "mean": "plain mean", "none": "not aggregated"}


def _rule(code: str, unit: str) -> str:
    """The KPI's own rule; of a figure that cities report, a sum of counts or a mean weighted by its denominator."""
    if code in DERIVATIONS:
        return DERIVATIONS[code].region
    if unit in _COUNTS:
        return "sum"
    return denominator_of(code) or "population"


def _notes(figures: Iterable[Figure | None], units: set[str]) -> list[str]:
    """Remarks on the comparability."""
    there = [f for f in figures if f is not None and f.value is not None]
    methods = sorted({_method(f) for f in there})
    found = [f"units differ: {', '.join(sorted(units))}"] if len(units) > 1 else []
    if len(methods) > 1:
        found.append(f"methods differ: {', '.join(methods)}")
    if any(f.reported is None and f.derived and f.derived.status == "provisional" for f in there):
        found.append("provisional values among them")
    if any(f.reported is None and f.derived and "indicative" in f.derived.notes for f in there):
        found.append("indicative values among them")
    return found


def _method(f: Figure) -> str:
    return "" if f.counts is None else "reported" if f.reported else f.counts.method
