"""The city's targets beside its KPI values, as fields that dashboards read: `target`, `better`, `verdict`.

A target is held against values of a year (calendar or rolling); against those of shorter periods only where the unit
does not grow with the period (µg/m³, %, kW), for a target of kWh a year says nothing about a day. The sum of a running
year has a verdict only where what is still to come cannot change it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from adapters.points import Point
from kpi_derivation.catalogue import KPIS, canonical
from kpi_derivation.directions import direction_of
from kpi_derivation.growth import grows, is_so_far
from registry.city import City
from telemetry.kpi_value import StoredKpi

NO_VERDICT, OFF, ON = 0, 1, 2


class Goal(NamedTuple):
    """A target; `better`: 1 where higher is better, -1 where lower is."""

    value: float
    better: int


def goals(city: City) -> dict[tuple[str, str], Goal]:
    """Targets by (code, part); entries that name nothing in the catalogue are left to `cityvitals config check`."""
    found = {}
    for entry in city.target:
        code = canonical(entry.code)
        if not code:
            continue
        parts = {_plain(part): part for part in KPIS[code].parts}
        part = parts.get(_plain(entry.part), entry.part)
        official = KPIS[code].level != "local"
        direction = (direction_of(code, part).better if official else KPIS[code].direction) or entry.direction
        if direction in ("higher", "lower"):
            found[code, part] = Goal(float(entry.value), 1 if direction == "higher" else -1)
    return found


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())


def rows(values: Iterable[StoredKpi], wanted: dict[tuple[str, str], Goal]) -> Iterator[Point]:
    """Fields for the rows of these values; those without a target say so, for a target may have been taken out."""
    for stored in values:
        k = stored.kpi
        tags = {"city": k.city, "code": k.code, "part": k.part, "period": k.kind}
        goal = wanted.get((k.code, k.part))
        if goal is None or not (k.kind in ("year", "365d") or not grows(k.code, k.unit)):
            yield Point("kpi", tags, {"verdict": NO_VERDICT}, k.time)
            continue
        verdict = NO_VERDICT  # also of a value of a part of the period, which is compared with nothing
        if k.value is not None and k.status != "partial":
            verdict = ON if goal.better * (k.value - goal.value) >= 0 else OFF
            certain = OFF if goal.better < 0 else ON
            if is_so_far(k) and verdict != certain:
                verdict = NO_VERDICT
        yield Point("kpi", tags, {"target": goal.value, "better": goal.better, "verdict": verdict}, k.time)
