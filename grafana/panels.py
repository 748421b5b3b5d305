"""The few kinds of panels the dashboards are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from string import ascii_uppercase
from typing import TypeVar

from grafana_foundation_sdk.builders import common, dashboard, stat, statetimeline, table, timeseries
from grafana_foundation_sdk.models import units
from grafana_foundation_sdk.models.common import (
    BigValueGraphMode,
    GraphDrawStyle,
    GraphTresholdsStyleMode,
    LegendDisplayMode,
    StackingMode,
    VisibilityMode,
)
from grafana_foundation_sdk.models.dashboard import (
    DynamicConfigValue,
    Threshold,
    ThresholdsMode,
    ValueMap,
    ValueMapping,
    ValueMappingResult,
)

from grafana.influx import DATASOURCE, Query

P = TypeVar("P", stat.Panel, statetimeline.Panel, table.Panel, timeseries.Panel)

_UNITS = {
    "%": units.Percent,
    "B": units.BytesIEC,
    "Cel": units.Celsius,
    "W": units.Watt,
    "count": units.Short,
    "dBm": "dBm",
    "kWh": units.KiloWattHour,
    "ms": units.Milliseconds,
    "s": units.Seconds,
    "share": units.PercentUnit,
    "ug/m3": units.MicrogramPerCubicMeter,
}
GUIDELINE_COLOURS = ("green", "orange")


def unit_id(unit: str) -> str:
    """Grafana's name for a unit of ours; a unit it does not know is written behind the number."""
    return _UNITS.get(unit, f"suffix: {unit}")


def guideline(limit: float) -> dashboard.ThresholdsConfig:
    """Green up to the limit, orange above it."""
    below, above = GUIDELINE_COLOURS
    steps = [Threshold(None, below), Threshold(limit, above)]
    return dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps)


def texts(words: Mapping[str, str]) -> ValueMapping:
    """Show a word for a value."""
    return ValueMap({value: ValueMappingResult(text=text) for value, text in words.items()})


def chart(
    title: str, queries: Sequence[Query], unit: str, *, smallest: str = "1m", limit: float | None = None
) -> timeseries.Panel:
    """Lines over time. `smallest` is the width of the windows asked for; `limit` draws a dashed line."""
    panel = (
        timeseries.Panel()
        .title(title)
        .datasource(DATASOURCE)
        .unit(unit_id(unit))
        .interval(smallest)
        .show_points(VisibilityMode.AUTO)
        .legend(common.VizLegendOptions().show_legend(True).display_mode(LegendDisplayMode.LIST))
    )
    if limit is not None:
        style = common.GraphThresholdsStyleConfig().mode(GraphTresholdsStyleMode.DASHED)
        panel.thresholds(guideline(limit)).thresholds_style(style)
    return _ask(panel, queries)


def bars(title: str, queries: Sequence[Query], unit: str, *, smallest: str = "1h") -> timeseries.Panel:
    """Amounts of every interval, as stacked bars."""
    stacked = common.StackingConfig().mode(StackingMode.NORMAL)
    panel = chart(title, queries, unit, smallest=smallest)
    return panel.draw_style(GraphDrawStyle.BARS).fill_opacity(80).stacking(stacked)


def number(title: str, query: Query, unit: str, *, limit: float | None = None) -> stat.Panel:
    """The latest value and its coverage beside it; the latest without a value shows as such, not as an older one."""
    latest = common.ReduceDataOptions().calcs(["last"])
    share = [
        DynamicConfigValue("unit", units.PercentUnit),
        DynamicConfigValue("color", {"mode": "fixed", "fixedColor": "text"}),
    ]
    panel = (
        stat.Panel()
        .title(title)
        .datasource(DATASOURCE)
        .unit(unit_id(unit))
        .no_value("not enough data")
        .reduce_options(latest)
        .graph_mode(BigValueGraphMode.NONE)
        .override_by_name("coverage", share)
    )
    if limit is not None:
        panel.thresholds(guideline(limit))
    return _ask(panel, [query])


def listing(title: str, query: Query, columns: Mapping[str, Sequence[DynamicConfigValue]] | None = None) -> table.Panel:
    """A table; `columns` says how to show some of them."""
    panel = table.Panel().title(title).datasource(DATASOURCE)
    for name, properties in (columns or {}).items():
        panel.override_by_name(name, list(properties))
    return _ask(panel, [query])


def states(title: str, query: Query, words: Mapping[str, str]) -> statetimeline.Panel:
    """Which state each device was in, over time."""
    panel = statetimeline.Panel().title(title).datasource(DATASOURCE).interval("1m").mappings([texts(words)])
    return _ask(panel, [query])


def _ask(panel: P, queries: Sequence[Query]) -> P:
    for letter, query in zip(ascii_uppercase[: len(queries)], queries, strict=True):
        query.build().ref_id = letter
        panel.with_target(query)
    return panel
