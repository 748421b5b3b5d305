"""Meters of homes on a map: only as areas of at least fifty homes, never one by one. Pure.

Areas are squares of a fixed grid. One with too few homes is joined with its neighbours into a square of twice the side,
up to four times; what is still too few is shown nowhere and only counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

LEAST_HOMES = 50
_SIDE = 0.005  # degrees of latitude; twice as many of longitude
_LEVELS = 4


class Home(NamedTuple):
    """A meter: its position, how many homes are behind it, and its power in kW, None where it is not known."""

    lat: float
    lon: float
    homes: float
    kw: float | None


class Area(NamedTuple):
    """A square in degrees: homes, meters, and their power together, None where too few of them are known."""

    south: float
    west: float
    north: float
    east: float
    homes: int
    meters: int
    kw: float | None


def areas(meters: Sequence[Home]) -> tuple[list[Area], int]:
    """The areas, and how many meters are in none."""
    left, found = list(meters), []
    for level in range(_LEVELS):
        side = _SIDE * 2**level
        squares: dict[tuple[int, int], list[Home]] = {}
        for m in left:
            squares.setdefault((int(m.lat // side), int(m.lon // (2 * side))), []).append(m)
        left = []
        for (row, column), mine in squares.items():
            if sum(m.homes for m in mine) >= LEAST_HOMES:
                found.append(_area(row, column, side, mine))
            else:
                left += mine
    return found, len(left)


def _area(row: int, column: int, side: float, mine: Sequence[Home]) -> Area:
    """Power is shown only where that of at least fifty homes is known: of fewer it could be traced to one."""
    known = [m for m in mine if m.kw is not None]
    enough = sum(m.homes for m in known) >= LEAST_HOMES
    return Area(
        south=row * side, west=column * 2 * side, north=(row + 1) * side, east=(column + 1) * 2 * side,
        homes=round(sum(m.homes for m in mine)), meters=len(mine),
        kw=sum(m.kw for m in known if m.kw is not None) if enough else None,
    )  # fmt: skip
