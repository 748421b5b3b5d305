"""The city's targets beside its KPI values: whether a value is on target. Pure.

A target is held against values of a year (calendar or rolling); against those of shorter periods only where the unit
does not grow with the period (µg/m³, %, kW), for a target of kWh a year does not apply to a day. The sum of a running
year has a verdict only where what is still to come cannot change it.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from kpi_derivation.catalogue import KPIS, canonical
from kpi_derivation.directions import direction_of
from kpi_derivation.growth import grows, is_so_far
from registry.city import City
from telemetry.kpi_value import KpiValue
from telemetry.periods import YEARLY

NO_VERDICT, OFF, ON = 0, 1, 2


class Goal(NamedTuple):
    """A target; `better`: 1 where higher is better, -1 where lower is."""

    value: float
    better: int


Goals = dict[tuple[str, str], Goal]


def goals(city: City) -> Goals:
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


def point_of(k: KpiValue) -> tuple[str, str]:
    """Code and part of the figure; where it is derived too, a reported one has the part `reported`, `no2:reported`."""
    beside_derived = k.method.startswith("reported/")
    return k.code, k.part.removesuffix("reported").removesuffix(":") if beside_derived else k.part


def goal_of(k: KpiValue, wanted: Goals) -> Goal | None:
    """The target that this value can be held against."""
    goal = wanted.get(point_of(k))
    return goal if goal and (k.kind in YEARLY or not grows(k.code, k.unit)) else None


def verdict(k: KpiValue, goal: Goal | None) -> int:
    """OFF or ON; NO_VERDICT also of a value of a part of the period, which is compared with nothing."""
    if goal is None or k.value is None or k.status == "partial":
        return NO_VERDICT
    found = ON if goal.better * (k.value - goal.value) >= 0 else OFF
    certain = OFF if goal.better < 0 else ON
    return NO_VERDICT if is_so_far(k) and found != certain else found


def beside(k: KpiValue, wanted: Goals) -> dict[str, float | int | str | None]:
    """The fields of dashboards beside a value: `verdict`, and where there is a target `target` and `better`."""
    goal = goal_of(k, wanted)
    return {**({"target": goal.value, "better": goal.better} if goal else {}), "verdict": verdict(k, goal)}
