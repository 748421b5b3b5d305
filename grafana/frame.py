"""What all dashboards share: variables, tags, and panels laid out line by line on Grafana's 24 columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import dashboard as model

from grafana import DATASOURCE_UID
from grafana.influx import DATASOURCE
from telemetry.periods import KINDS

COLUMNS = 24
AnyPanel = Builder[model.Panel]


class Line(NamedTuple):
    """Panels side by side, sharing the width by `shares` (equally when there are none)."""

    panels: Sequence[AnyPanel]
    height: int = 8
    shares: Sequence[int] = ()


class Row(NamedTuple):
    """A heading and the lines under it."""

    title: str
    lines: Sequence[Line]


def board(uid: str, title: str, description: str, rows: Sequence[Row], *, since: str, period: bool) -> model.Dashboard:
    """A dashboard. `since` is where its time range begins; `period`: whether one can choose the kind of period."""
    frame = (
        dashboard.Dashboard(title)
        .uid(f"cityvitals-{uid}")
        .description(description)
        .tags(["cityvitals"])
        .timezone("browser")
        .time(since, "now")
        .refresh("1m")
        .tooltip(model.DashboardCursorSync.CROSSHAIR)
        .link(_to_the_others())
    )
    frame.with_variable(_datasource()).with_variable(_city())
    if period:
        frame.with_variable(_period())
    built = frame.build()
    built.panels = _lay_out(rows)
    return built


def _lay_out(rows: Sequence[Row]) -> list[model.Panel | model.RowPanel]:
    placed: list[model.Panel | model.RowPanel] = []
    y = 0
    for row in rows:
        position = model.GridPos(h=1, w=COLUMNS, x=0, y=y)
        placed.append(model.RowPanel(title=row.title, id_val=len(placed) + 1, grid_pos=position))
        y += 1
        for line in row.lines:
            placed += _place(line, y, len(placed))
            y += line.height
    return placed


def _place(line: Line, y: int, before: int) -> list[model.Panel]:
    shares = line.shares or [1] * len(line.panels)
    placed, x = [], 0
    for number, (builder, share) in enumerate(zip(line.panels, shares, strict=True), start=before + 1):
        panel = builder.build()
        width = COLUMNS * share // sum(shares)
        panel.id_val, panel.grid_pos = number, model.GridPos(h=line.height, w=width, x=x, y=y)
        placed.append(panel)
        x += width
    return placed


def _to_the_others() -> dashboard.DashboardLink:
    link = dashboard.DashboardLink("CityVitals").type(model.DashboardLinkType.DASHBOARDS)
    return link.tags(["cityvitals"]).include_vars(True)


def _datasource() -> dashboard.DatasourceVariable:
    current = model.VariableOption(text="CityVitals", value=DATASOURCE_UID)
    return dashboard.DatasourceVariable("datasource").label("Store").type("influxdb").current(current)


def _city() -> dashboard.QueryVariable:
    query = 'SHOW TAG VALUES FROM "kpi" WITH KEY = "city"'
    variable = dashboard.QueryVariable("city").label("City").datasource(DATASOURCE).query(query)
    return variable.refresh(model.VariableRefresh.ON_DASHBOARD_LOAD).sort(model.VariableSort.ALPHABETICAL_ASC)


def _period() -> dashboard.CustomVariable:
    current = model.VariableOption(text="month", value="month")
    return dashboard.CustomVariable("period").label("Period").values(",".join(KINDS)).current(current)
