"""All 91 KPIs of a city in one period: value, where it comes from, target, and why one is missing. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal

import msgspec

from registry.city import City
from reporting.figures.figures import Figure, figures, official
from reporting.figures.points import Point
from reporting.scoring import Target
from reporting.targets import Scores, better, score, stored_targets
from telemetry.kpi_value import KpiValue

Origin = Literal["derived", "reported", "missing"]


class Indicator(msgspec.Struct, frozen=True, kw_only=True):
    """One data point. `performance`: share of the target, capped at 1; None without a target or a value.

    `origin` states which value counts: derived from sensors, reported by the city, or none. `why`: the reason code of a
    missing or partial value, `reported_only` for a KPI that no sensor gives. `period`: of which the value is.
    """

    code: str
    part: str
    name: str
    dimension: str
    sub_dimension: str
    category: str
    level: str
    unit: str
    direction: str
    sdg: tuple[str, ...]
    origin: Origin
    derivable: bool
    value: float | None
    coverage: float | None
    status: str
    why: str
    notes: str
    target: float | None
    performance: float | None
    points: int | None
    period: str


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of KPIs (not of data points): of all, those with a value, by origin; and of data points on target."""

    kpis: int
    with_value: int
    derived: int
    reported: int
    with_target: int
    on_target: int


def newest_indicators(city: City, values: Iterable[KpiValue]) -> list[Indicator]:
    """As `indicators`, from the values of several years: of each data point the newest year in which it has a value.

    Sensors give the running year, people report the one before it: no single year has both.
    """
    years: dict[str, list[KpiValue]] = {}
    for value in values:
        years.setdefault(value.period, []).append(value)
    newest_first = [figures(years[year]) for year in sorted(years, reverse=True)] or [figures([])]
    known: dict[Point, Figure] = {}
    for found in newest_first:
        for f in found:
            old = known.get((f.code, f.part))
            if old is None or (old.value is None and (f.value is not None or old.derived is None)):
                known[f.code, f.part] = f
    return indicators(city, list(known.values()))


def indicators(city: City, found: Sequence[Figure]) -> list[Indicator]:
    """Every data point of the 91, in the catalogue's order."""
    wanted = stored_targets(city)
    scores = score(found, wanted)
    return [_indicator(f, scores, _target_of(f, wanted)) for f in official(found)]


def _indicator(f: Figure, scores: Scores, target: float | None) -> Indicator:
    counts, kpi = f.counts, f.kpi
    scored = scores.items.get((f.code, f.part))
    origin: Origin = "reported" if f.reported else "derived" if f.value is not None else "missing"
    return Indicator(
        code=f.code,
        part=f.part,
        name=kpi.name,
        dimension=kpi.dimension,
        sub_dimension=kpi.sub_dimension,
        category=kpi.category,
        level=kpi.level,
        unit=f.unit,
        direction=better(f.code, f.part),
        sdg=kpi.sdg,
        origin=origin,
        derivable=kpi.derivable,
        value=f.value,
        coverage=f.derived.coverage if f.derived else None,
        status=counts.status if counts else "missing",
        why=_why(f),
        notes=counts.notes if counts else "",
        target=target,
        performance=min(1.0, scored.performance) if scored else None,
        points=scored.points if scored else None,
        period=counts.period if counts else "",
    )


def _target_of(f: Figure, wanted: Mapping[Point, Target]) -> float | None:
    target = wanted.get((f.code, f.part))
    return target.value if target else None


def _why(f: Figure) -> str:
    """The reason code of a figure that has no value, or only a partial one; `part_of_city`: of some meters only."""
    if f.reported is not None:
        return ""
    if f.derived is None:
        return "no_data" if f.kpi.derivable else "reported_only"
    return f.derived.reason or ("part_of_city" if f.value is None else "")


def summary(found: Sequence[Indicator]) -> Summary:
    """The counts of the head line."""
    origins = dict(_origins(found))
    return Summary(
        kpis=len(origins),
        with_value=sum(o != "missing" for o in origins.values()),
        derived=sum(o == "derived" for o in origins.values()),
        reported=sum(o == "reported" for o in origins.values()),
        with_target=sum(i.performance is not None for i in found),
        on_target=sum(i.performance is not None and i.performance >= 0.95 for i in found),
    )


def _origins(found: Sequence[Indicator]) -> Iterator[tuple[str, Origin]]:
    """A KPI with several data points has a value as soon as one of them has; reported ones come first."""
    order: dict[Origin, int] = {"missing": 0, "derived": 1, "reported": 2}
    best: dict[str, Origin] = {}
    for i in found:
        if order[i.origin] >= order[best.get(i.code, "missing")]:
            best[i.code] = i.origin
    yield from best.items()
