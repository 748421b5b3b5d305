"""A region's value of one figure, made of its cities' by the rule that the KPI declares. Pure.

A ratio is made from numerators and denominators: 5 interruptions of 10 customers and 1 of 90 are 0.06, not a sum and
not a mean. Where cities report values without them, the mean is weighted by population and labelled an approximation.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import msgspec

from kpi_derivation.catalogue import region_rule
from reporting.figures.denominators import denominator_of
from reporting.figures.figures import Figure
from reporting.figures.ratio import factor


class Contribution(msgspec.Struct, frozen=True, kw_only=True):
    """One city's figure with a value. `weights`: keys of [city] and their numbers, population among them."""

    figure: Figure
    value: float
    weights: Mapping[str, float | None]


class Aggregate(msgspec.Struct, frozen=True, kw_only=True):
    """A region's value, how it was made, and of how many cities."""

    value: float | None
    how: str
    cities: int


def weighted_mean(values: Sequence[float], weights: Sequence[float]) -> float | None:
    """Sum of weight x value over the sum of the weights; None where these are 0 or there is no value."""
    whole = math.fsum(weights)
    return math.fsum(v * w for v, w in zip(values, weights, strict=True)) / whole if whole > 0 else None


def aggregate(found: Sequence[Contribution]) -> Aggregate:
    """The region's value of one data point. The contributions must be comparable."""
    if not found:
        return Aggregate(value=None, how="no city has a value", cities=0)
    figure = found[0].figure
    rule = region_rule(figure.kpi, figure.part)
    if rule in _PLAIN:
        how, of = _PLAIN[rule]
        return Aggregate(value=of([c.value for c in found]), how=how, cities=len(found) if rule != "none" else 0)
    derived = figure.reported is None
    if (rule == "ratio" or not derived) and all(_terms(c.figure) for c in found):
        return _ratio(found)
    if rule == "ratio" and derived:
        how = "numerators are not stored yet; run `cityvitals kpi backfill` for each city"
        return Aggregate(value=None, how=how, cities=0)
    own = denominator_of(figure.code) if rule == "ratio" else rule
    return _weighted(found, own or "population", approximate=own is None)


def _ratio(found: Sequence[Contribution]) -> Aggregate:
    """The sum of the numerators over the sum of the denominators, in the figure's unit."""
    terms = [term for c in found if (term := _terms(c.figure))]
    whole = math.fsum(d for _, d in terms)
    how = "sum of numerators / sum of denominators"
    if whole <= 0:
        return Aggregate(value=None, how=how, cities=0)
    value = factor(found[0].figure.unit) * math.fsum(n for n, _ in terms) / whole
    return Aggregate(value=value, how=how, cities=len(terms))


def _weighted(found: Sequence[Contribution], key: str, *, approximate: bool) -> Aggregate:
    """The mean weighted by a key of [city], of the cities that give it."""
    used = [(c.value, w) for c in found if (w := c.weights.get(key))]
    value = weighted_mean([v for v, _ in used], [w for _, w in used])
    missing = "; an approximation, because numerators and denominators are not reported" if approximate else ""
    return Aggregate(value=value, how=f"mean weighted by {key}{missing}", cities=len(used))


def _terms(f: Figure) -> tuple[float, float] | None:
    """Numerator and denominator of a figure, where both are known.

    The publisher divides a figure per 100 000 by the population / 100 000, and so it is reported.
    """
    n, d = (
        (f.reported.numerator, f.reported.denominator)
        if f.reported
        else (f.derived.numerator, f.derived.denominator)
        if f.derived
        else (None, None)
    )
    return None if n is None or d is None else (n, d)


def _mean(numbers: Sequence[float]) -> float:
    return math.fsum(numbers) / len(numbers)


_PLAIN: dict[str, tuple[str, Callable[[Sequence[float]], float | None]]] = {
    "sum": ("sum", math.fsum),
    "maximum": ("highest", max),
    "mean": ("plain mean of the cities' values", _mean),
    "none": ("not aggregated", lambda _: None),
}
