"""Statistics over the cities of a region: quartiles, robust outliers, distances between cities. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

FAR = 3.5  # robust z beyond which a value is far from its group (Iglewicz and Hoaglin; from general knowledge)
_FEWEST = 10


class Quartiles(msgspec.Struct, frozen=True, kw_only=True):
    """Lowest, quartiles (linear interpolation) and highest of the values."""

    lowest: float
    q1: float
    median: float
    q3: float
    highest: float


def quartiles(values: Sequence[float]) -> Quartiles | None:
    """None without a value."""
    if not values:
        return None
    low, q1, middle, q3, high = np.percentile(np.array(values), [0, 25, 50, 75, 100]).tolist()
    return Quartiles(lowest=low, q1=q1, median=middle, q3=q3, highest=high)


def robust_z(values: Mapping[str, float]) -> dict[str, float] | None:
    """0.6745 (x - median) / MAD of each; None with fewer than 10 values or a MAD of 0: too few to say."""
    if len(values) < _FEWEST:
        return None
    x = np.array(list(values.values()))
    middle = np.median(x)
    mad = float(np.median(np.abs(x - middle)))
    if mad == 0:
        return None
    return dict(zip(values, (0.6745 * (x - middle) / mad).tolist(), strict=True))


def far(values: Mapping[str, float]) -> dict[str, float] | None:
    """The values far from their group, with their robust z, farthest first; None where too few are there to say."""
    scores = robust_z(values)
    if scores is None:
        return None
    return {c: z for c, z in sorted(scores.items(), key=lambda item: -abs(item[1])) if abs(z) > FAR}


class Distance(msgspec.Struct, frozen=True, kw_only=True):
    """Gower's distance of two cities, 0 to 1, and the variables that both have."""

    city: str
    distance: float
    variables: tuple[str, ...]


def gower(
    cities: Mapping[str, Mapping[str, float | None]], of: str, in_log: Sequence[str] = ("population",)
) -> list[Distance]:
    """All others by their distance from `of`, nearest first: the mean of |difference| / range over the variables.

    The range is over all cities. A variable that one of the two lacks, or that is the same everywhere, is left out of
    the pair's mean. Cities without a variable in common are left out.
    """
    names = sorted({name for variables in cities.values() for name in variables})
    table = np.array([[_number(cities[c].get(n), n in in_log) for n in names] for c in cities])
    with np.errstate(invalid="ignore"):
        spread = np.nanmax(table, axis=0, initial=-math.inf) - np.nanmin(table, axis=0, initial=math.inf)
    usable = np.isfinite(spread) & (spread > 0)
    own = table[list(cities).index(of)]
    found = []
    for city, row in zip(cities, table, strict=True):
        apart = np.abs(row - own) / np.where(usable, spread, 1.0)
        there = usable & ~np.isnan(apart)
        if city != of and there.any():
            shared = tuple(n for n, ok in zip(names, there.tolist(), strict=True) if ok)
            found.append(Distance(city=city, distance=float(apart[there].mean()), variables=shared))
    return sorted(found, key=lambda d: (d.distance, d.city))


def _number(value: float | None, in_log: bool) -> float:
    if value is None or (in_log and value <= 0):
        return math.nan
    return math.log(value) if in_log else float(value)
