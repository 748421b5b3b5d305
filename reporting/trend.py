"""A figure over the years: straight line by least squares, and the distance to a target. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from reporting.scoring import Target


class Trend(msgspec.Struct, frozen=True, kw_only=True):
    """Change per year by least squares, None under two years; `last` is the newest value, of `year`."""

    years: int
    year: int
    last: float
    change: float | None
    per_year: float | None


class Distance(msgspec.Struct, frozen=True, kw_only=True):
    """The distance of `last` from the target in the figure's unit, 0 where it is reached.

    `reached_in`: the year in which the extrapolated line reaches the target; None where it moves away from it.
    """

    target: float
    distance: float
    reached: bool
    reached_in: int | None


def slope(xs: Sequence[float], ys: Sequence[float]) -> float | None:
    """Slope of the least-squares line; None with fewer than two different xs."""
    n = len(xs)
    if n < 2:
        return None
    x, y = math.fsum(xs) / n, math.fsum(ys) / n
    spread = math.fsum((a - x) ** 2 for a in xs)
    return math.fsum((a - x) * (b - y) for a, b in zip(xs, ys, strict=True)) / spread if spread else None


def trend(values: Sequence[tuple[int, float]]) -> Trend:
    """The trend of (year, value), in the order of years, at least one."""
    years, last = values[-1]
    before = values[-2][1] if len(values) > 1 else None
    return Trend(
        years=len(values), year=years, last=last, change=None if before is None else last - before,
        per_year=slope([float(y) for y, _ in values], [v for _, v in values]),
    )  # fmt: skip


def distance(found: Trend, target: Target) -> Distance:
    """The distance of the newest value from the target, and the year in which the trend reaches it."""
    if target.direction == "nearest":
        apart = abs(found.last - target.value)
        return Distance(
            target=target.value, distance=apart, reached=not apart, reached_in=None if apart else found.year
        )
    missing = target.value - found.last if target.direction == "higher" else found.last - target.value
    if missing <= 0:
        return Distance(target=target.value, distance=0.0, reached=True, reached_in=found.year)
    gain = None if found.per_year is None else found.per_year * (1 if target.direction == "higher" else -1)
    later = math.ceil(round(missing / gain, 9)) if gain and gain > 0 else None
    return Distance(
        target=target.value, distance=missing, reached=False,
        reached_in=found.year + later if later is not None and later <= 100 else None,
    )  # fmt: skip
