"""What is missing of a year's 91 KPIs, the easiest first: hard by hand, and automatic here. Reads a store."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import Literal, Protocol, get_args

import msgspec

from kpi_derivation.catalogue import Kpi
from registry.city import City
from reporting.figures.figures import figures, official
from reporting.figures.points import all_points, u4ssc
from reporting.figures.rules import MOST_NOT_REPORTED
from reporting.tables import printed
from telemetry.kpi_value import KpiQuery, StoredKpi
from telemetry.periods import parse_period

How = Literal["sensors", "file", "by hand"]
_HOW: tuple[How, ...] = get_args(How)


class Values(Protocol):
    """A store, or the API's shared one."""

    def kpis(self, query: KpiQuery) -> list[StoredKpi]:
        """The KPI values of a query."""


class Missing(msgspec.Struct, frozen=True, kw_only=True):
    """A figure that is missing. `how`: what gives it with the least effort."""

    code: str
    part: str
    name: str
    unit: str
    how: How
    hint: str


class Gaps(msgspec.Struct, frozen=True, kw_only=True):
    """The missing figures of a year. `needed`: how many more KPIs a submission needs, so that it is not returned."""

    year: int
    kpis: int
    with_value: int
    needed: int
    missing: tuple[Missing, ...]


def missing_of(store: Values, city: City, year: int) -> Gaps:
    """The figures without a value, by effort and then in the order of the catalogue."""
    period = parse_period(f"{year:04}", city.zone)
    found = official(figures(v.kpi for v in store.kpis(KpiQuery.of_period(city.id, period))))
    there = {(f.code, f.part) for f in found if f.value is not None}
    whole, files = len(u4ssc()), _from_files()
    with_value = len({code for code, _ in there})
    gone = [_missing(kpi, part, files) for kpi, part in all_points() if (kpi.code, part) not in there]
    least = math.ceil(round((1 - MOST_NOT_REPORTED) * whole, 9))
    return Gaps(
        year=year, kpis=whole, with_value=with_value, needed=max(0, least - with_value),
        missing=tuple(sorted(gone, key=lambda m: _HOW.index(m.how))),
    )  # fmt: skip


def _missing(kpi: Kpi, part: str, files: Collection[str]) -> Missing:
    how: How = "sensors" if kpi.derivable else "file" if kpi.code in files else "by hand"
    hint = {"sensors": "automatic, with devices", "file": "`cityvitals kpi gather`", "by hand": "`kpi form`"}[how]
    return Missing(code=kpi.code, part=part, name=kpi.name, unit=kpi.unit, how=how, hint=hint)


def _from_files() -> Collection[str]:
    """The KPIs that `kpi gather` computes; none where the packages for maps are not installed."""
    try:
        from reporting.files import gbfs, geojson, gtfs  # noqa: PLC0415 - need shapely
    except ImportError:
        return ()
    return {code for module in (gbfs, geojson, gtfs) for code in module.GIVES}


def missing_text(found: Gaps, form: str, width: int) -> str:
    """A line for each missing figure."""
    rows: list[Sequence[str]] = [["code", "part", "name", "unit", "from", "how"]]
    rows += [[m.code, m.part, m.name, m.unit, m.how, m.hint] for m in found.missing]
    more = f"{found.needed} more are needed, or a verifier returns it (over 20 % missing)" if found.needed else "enough"
    foot = f"{found.year}: {found.with_value} of {found.kpis} KPIs have a figure; {more}"
    return printed(form, found, rows, width, foot)
