"""Data points: what a city reports and what is scored, one or more for each KPI. Pure.

The publisher counts 111: a KPI without parts is one data point, a KPI with parts is one for each part, and Open Data,
with a number and a percentage, is one (112 if it counts as two).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from kpi_derivation.catalogue import KPIS, Kpi
from telemetry.errors import nearest

_COUNTED_ONCE = ("EC:ICT:PS:1A",)
UNIT_OF_PART = {("EC:ICT:PS:1A", "number"): "number", ("EC:ICT:PS:1A", "percent"): "%"}

Point = tuple[str, str]


def u4ssc() -> list[Kpi]:
    """The 91 KPIs in the order of the catalogue."""
    return [kpi for kpi in KPIS.values() if kpi.level != "local"]


def data_points(kpi: Kpi) -> int:
    """The number of data points by the publisher's count."""
    return 1 if kpi.code in _COUNTED_ONCE else max(1, len(kpi.parts))


def points(kpi: Kpi) -> list[Point]:
    """(code, part) of each figure of a KPI; `part` is empty where it has one only."""
    return [(kpi.code, part) for part in kpi.parts or ("",)]


def all_points() -> Iterator[tuple[Kpi, str]]:
    """Every figure of the 91, in the order of the catalogue."""
    return ((kpi, part) for kpi in u4ssc() for _, part in points(kpi))


def unit_of(kpi: Kpi, part: str) -> str:
    """The unit of one figure."""
    return UNIT_OF_PART.get((kpi.code, part), kpi.unit)


def part_named(kpi: Kpi, text: str) -> str:
    """The part for a name such as 'PM2.5'. Raises ValueError with a sentence that names the nearest."""
    known = {_plain(part): part for part in kpi.parts}
    wanted = _plain(text)
    if wanted in known:
        return known[wanted]
    if not kpi.parts:
        if not wanted:
            return ""
        raise ValueError(f"{kpi.code} has one figure only; leave part empty instead of '{text}'")
    if not wanted:
        raise ValueError(f"{kpi.code} has several figures; name one in part: {', '.join(kpi.parts)}")
    raise ValueError(f"{kpi.code} has no part '{text}'; {nearest(text, kpi.parts).rstrip('.')}")


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())
