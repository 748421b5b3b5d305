"""All indicators of a city: one table with the latest of each, then number and trend of every derived KPI."""

from __future__ import annotations

from grafana_foundation_sdk.models import units
from grafana_foundation_sdk.models.dashboard import Dashboard, DynamicConfigValue

from grafana.frame import AnyPanel, Line, Row, board
from grafana.indicators import indicator
from grafana.influx import Query, coverage, kpi_rows
from grafana.panels import chart, listing, texts
from kpi_derivation.catalogue import DERIVATIONS, KPIS


def build() -> Dashboard:
    """The dashboard."""
    derived = [derivation.kpi for derivation in DERIVATIONS.values()]
    share = chart("Coverage by $period", [Query(coverage(), "$tag_code $tag_part")], "share")
    rows = [
        Row("The last twelve of each $period", [Line([_values(), _missing()], height=10, shares=(3, 2))]),
        *(indicator(kpi) for kpi in derived),
        Row("How complete", [Line([share])]),
    ]
    about = "The U4SSC and local key performance indicators of the city, each with its coverage."
    return board("kpis", "City indicators", about, rows, since="now-2y", period=True)


def _values() -> AnyPanel:
    fields = '"value", "unit", "coverage", "status", "n_devices", "revision"'
    return listing("Values", Query(kpi_rows(fields, valued=True), table=True), _columns())


def _missing() -> AnyPanel:
    query = Query(kpi_rows('"coverage", "notes"', valued=False), table=True)
    return listing("No value, and why", query, _columns())


def _columns() -> dict[str, list[DynamicConfigValue]]:
    names = {code: kpi.name for code, kpi in KPIS.items() if kpi.derivable}
    share = DynamicConfigValue("unit", units.PercentUnit)
    return {"code": [DynamicConfigValue("mappings", [texts(names)])], "coverage": [share]}
