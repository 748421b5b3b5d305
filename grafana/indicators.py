"""How a KPI of the catalogue is shown: its latest year as a number, its periods as a line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from grafana.frame import AnyPanel, Line, Row
from grafana.influx import Query, kpi_history, kpi_trend
from grafana.panels import chart, number
from kpi_derivation.catalogue import DERIVATIONS, Kpi, reads
from registry.city import DeviceKind
from telemetry.quantities import QUANTITIES


def derived_from(kinds: Sequence[DeviceKind]) -> list[Kpi]:
    """The KPIs that are derived from devices of one of these kinds."""
    return [derivation.kpi for code, derivation in DERIVATIONS.items() if reads(code).kinds & set(kinds)]


def indicator(kpi: Kpi, limits: Mapping[str, float] | None = None) -> Row:
    """A heading with the KPI's numbers and its trend; `limits` are guideline values by part."""
    if not kpi.parts:
        return Row(_heading(kpi), [Line([_year(kpi, ""), _trend(kpi)], shares=(1, 3))])
    years = [_year(kpi, part, (limits or {}).get(part)) for part in kpi.parts]
    return Row(_heading(kpi), [Line(years, height=5), Line([_trend(kpi)])])


def _heading(kpi: Kpi) -> str:
    return f"{kpi.name} ({kpi.code_spaced})"


def part_title(part: str) -> str:
    """A part's own name, where it is a quantity."""
    return QUANTITIES[part].title if part in QUANTITIES else part


def _year(kpi: Kpi, part: str, limit: float | None = None) -> AnyPanel:
    title = f"{part_title(part) if part else kpi.name}, latest year"
    panel = number(title, Query(kpi_history(kpi.code, part, "year"), "$col"), kpi.unit, limit=limit)
    return panel.description(f"{kpi.definition}. Beside it: its coverage.")


def _trend(kpi: Kpi) -> AnyPanel:
    alias = "$tag_part" if kpi.parts else kpi.name
    panel = chart(f"{kpi.name} by $period", [Query(kpi_trend(kpi.code), alias)], kpi.unit)
    return panel.description(f"{kpi.definition}. Method: {kpi.method}.")
