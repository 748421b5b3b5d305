"""Tables: columns that define how each field is shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from grafana.colours import GREY, NUMBER, Steps, mappings, thresholds
from grafana.influx import Query
from grafana.links import link
from grafana.panels import DASH, Panel, override, panel_of
from grafana.units import unit_id


class Column(NamedTuple):
    """A column of a table. `name`: of the field; `kind`: text, number, ago, badge (coloured cell), coloured, bar."""

    name: str
    title: str
    width: int = 0
    kind: str = "text"
    unit: str = ""
    decimals: int | None = None
    steps: Steps = ()
    words: Mapping[Any, Any] | None = None
    to: str = ""
    no_value: str = ""
    most: float | None = None
    base: str = GREY


_CELLS = {
    "badge": {"type": "color-background", "mode": "basic"},
    "coloured": {"type": "color-text"},
    "bar": {"type": "gauge", "mode": "basic", "valueDisplayMode": "color"},
}


def _alignment(column: Column) -> str:
    """Numbers stand right, also where all are missing; coloured words stand left."""
    if column.kind == "badge":
        return "center"
    if column.words:
        return "left"
    return "right" if column.kind in ("ago", "bar") or column.decimals is not None else ""


def _column(column: Column) -> dict[str, Any]:
    properties: dict[str, object] = {"displayName": column.title}
    if column.width:
        properties["custom.width"] = column.width
    if column.kind in _CELLS:
        properties["custom.cellOptions"] = _CELLS[column.kind]
    if align := _alignment(column):
        properties["custom.align"] = align
    if column.unit or column.kind == "ago":
        properties["unit"] = unit_id("ago" if column.kind == "ago" else column.unit)
    if column.decimals is not None:
        properties["decimals"] = column.decimals
    if column.steps:
        properties["thresholds"] = thresholds(column.steps, column.base)
    if column.words:
        properties["mappings"] = mappings(column.words)
    if column.to:
        properties["links"] = [link(column.title, column.to)]
    properties["noValue"] = column.no_value or DASH
    if column.kind == "bar":
        properties["min"] = 0
        if column.most is not None:
            properties["max"] = column.most
    return override(column.name, properties)


def listing(
    title: str,
    about: str,
    queries: Query | Sequence[Query],
    columns: Sequence[Column],
    *,
    sort: str,
    descending: bool = True,
    time_from: str = "",
    merged: bool = False,
    empty: str = "nothing",
    hidden: Sequence[str] = (),
) -> Panel:
    """A table with its columns in the order given, sorted by the title of one of them. `empty`: in place of rows."""
    asked = [queries] if isinstance(queries, Query) else list(queries)
    panel = panel_of("table", title, about, asked, time_from=time_from)
    order = {column.name: place for place, column in enumerate(columns)}
    organize = {
        "excludeByName": {"Time": True, **dict.fromkeys(hidden, True)},
        "indexByName": order,
        "renameByName": {},
    }
    merge = [{"id": "merge", "options": {}}] if merged else []
    panel["transformations"] = [*merge, {"id": "organize", "options": organize}]
    panel["fieldConfig"] = {
        "defaults": {
            "unit": "none", "noValue": empty, "custom": {"align": "auto", "filterable": False, "cellOptions": {"type": "auto"}},
            "thresholds": thresholds(NUMBER), "mappings": [], "color": {"mode": "thresholds"},
        },
        "overrides": [_column(column) for column in columns],
    }  # fmt: skip
    panel["options"] = {
        "showHeader": True, "cellHeight": "sm", "footer": {"show": False, "reducer": ["sum"], "fields": "", "countRows": False},
        "sortBy": [{"displayName": sort, "desc": descending}], "frameIndex": 0,
    }  # fmt: skip
    return panel
