"""The figures of a city and period: for each data point the derived and the reported value, and which counts. Pure.

The city's reported figure counts where there is one, because the city is responsible for it before the verifier; else
the derived value. Both are kept for comparison.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

from kpi_derivation.catalogue import KPIS, Kpi
from reporting.figures.points import Point, all_points, unit_of
from reporting.figures.reported import Reported, from_value, is_reported, plain_part
from telemetry.kpi_value import KpiValue

NEARLY_ALL = 0.95  # a rule of CityVitals; the publisher's KPI is of the whole city
_OF_ALL_METERS = ("EN:E:E:2C", "EN:EN:WS:2C")


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One data point. `derived` and `reported` are None where there is none.

    `state`: of what officers entered, see `reporting/submission`; a draft does not count and has no value here.
    """

    code: str
    part: str
    derived: KpiValue | None = None
    reported: Reported | None = None
    reported_value: KpiValue | None = None
    state: Literal["", "draft", "submitted", "verified"] = ""

    @property
    def kpi(self) -> Kpi:
        """Its row of the catalogue."""
        return KPIS[self.code]

    @property
    def unit(self) -> str:
        """The unit of `value`: a derived value of a shorter period may have another unit."""
        return self.derived.unit if self.reported is None and self.derived else unit_of(self.kpi, self.part)

    @property
    def value(self) -> float | None:
        """The value that counts; None where the figure is not reported or only partial."""
        if self.reported is not None:
            return self.reported.value
        return self.derived.value if self.derived and not self.partial else None

    @property
    def partial(self) -> bool:
        """Whether sensors measure only a part of the KPI; such a value is shown and never counts as the KPI.

        A city's use per head is partial where the registered meters are not nearly all meters, or their total number is
        not set; methods that measure a part by definition are marked.
        """
        d = self.derived
        if d is None or self.reported is not None:
            return False
        unseen = self.code in _OF_ALL_METERS and d.coverage < NEARLY_ALL
        return (
            d.status == "partial" or "(partial" in d.method or "coverage of registered meters only" in d.notes or unseen
        )

    @property
    def counts(self) -> KpiValue | None:
        """The stored value that counts."""
        return self.reported_value or self.derived

    @property
    def name(self) -> str:
        """The KPI's name, with the part where it has several."""
        return f"{self.kpi.name}: {self.part}" if self.part else self.kpi.name


def figures(values: Iterable[KpiValue]) -> list[Figure]:
    """A figure for every data point of the 91, then the local KPIs that have a value, from the values of one period."""
    derived: dict[Point, KpiValue] = {}
    reported: dict[Point, KpiValue] = {}
    for value in values:
        (reported if is_reported(value) else derived)[value.code, plain_part(value)] = value
    official = [(kpi.code, part) for kpi, part in all_points()]
    local = sorted(point for point in derived if point[0] in KPIS and KPIS[point[0]].level == "local")
    return [_figure(point, derived.get(point), reported.get(point)) for point in [*official, *local]]


def _figure(point: Point, derived: KpiValue | None, reported: KpiValue | None) -> Figure:
    said = from_value(reported) if reported else None
    return Figure(code=point[0], part=point[1], derived=derived, reported=said, reported_value=reported)


def official(found: Sequence[Figure]) -> list[Figure]:
    """The figures of the 91 KPIs."""
    return [f for f in found if f.kpi.level != "local"]


def not_reported_share(found: Sequence[Figure]) -> float:
    """Share of the 91 KPIs without any figure; a verifier returns submissions above 20 % (p32). 0..1."""
    codes = {f.code for f in official(found)}
    with_value = {f.code for f in official(found) if f.value is not None}
    return 1 - len(with_value) / len(codes) if codes else 1.0
