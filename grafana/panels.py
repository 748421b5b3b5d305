"""The few kinds of panels the dashboards are made of, as Grafana's JSON (read back by Grafana's typed model in build.py).

Every kind requires a title, a description and a unit, and defines what is shown where there is no value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from string import ascii_uppercase
from typing import Any, NamedTuple

from grafana.colours import BLUE, NUMBER, Steps, mappings, thresholds
from grafana.influx import DATASOURCE, Query, target
from grafana.links import link
from grafana.units import unit_id

Panel = dict[str, Any]
NO_VALUE = "no value"
NO_DATA = "no data in this range"
DASH = "–"
_LATEST = {"values": False, "calcs": ["lastNotNull"], "fields": ""}


class Shown(NamedTuple):
    """How one name among a panel's values is shown where it differs from the others."""

    name: str
    title: str = ""
    steps: Steps = ()
    colour: str = ""
    unit: str = ""


def panel_of(
    kind: str, title: str, about: str, queries: Sequence[Query], *, time_from: str = "", interval: str = ""
) -> Panel:
    """What every kind of panel has. `time_from`: a time range of its own, whatever the dashboard's is."""
    letters = [*ascii_uppercase, *(f"A{x}" for x in ascii_uppercase)]
    panel: Panel = {
        "type": kind,
        "title": title,
        "description": about,
        "datasource": DATASOURCE,
        "targets": [target(query, letter) for query, letter in zip(queries, letters, strict=False)],
    }
    if time_from:
        panel |= {"timeFrom": time_from, "hideTimeOverride": True}
    if interval:
        panel["interval"] = interval
    return panel


def override(name: str, properties: Mapping[str, object]) -> dict[str, Any]:
    """How the field of that name differs from the panel's defaults."""
    return {
        "matcher": {"id": "byName", "options": name},
        "properties": [{"id": key, "value": value} for key, value in properties.items()],
    }


def _shown(shown: Sequence[Shown]) -> list[dict[str, Any]]:
    found = []
    for s in shown:
        properties: dict[str, object] = {}
        if s.title:
            properties["displayName"] = s.title
        if s.steps:
            properties["thresholds"] = thresholds(s.steps)
        if s.colour:
            properties["color"] = {"mode": "fixed", "fixedColor": s.colour}
        if s.unit:
            properties["unit"] = unit_id(s.unit)
        found.append(override(s.name, properties))
    return found


def _defaults(unit: str, steps: Steps, words: Mapping[Any, Any], no_value: str, to: str, title: str) -> dict[str, Any]:
    made: dict[str, Any] = {
        "unit": unit_id(unit),
        "noValue": no_value,
        "thresholds": thresholds(steps),
        "color": {"mode": "thresholds"},
        "mappings": mappings(words),
    }
    return made | ({"links": [link(title, to)]} if to else {})


def number(
    title: str,
    about: str,
    queries: Query | Sequence[Query],
    unit: str,
    *,
    steps: Steps = NUMBER,
    words: Mapping[Any, Any] | None = None,
    time_from: str = "",
    size: int = 30,
    decimals: int | None = None,
    spark: bool = False,
    background: bool = False,
    named: bool = False,
    to: str = "",
    shown: Sequence[Shown] = (),
    no_value: str = NO_VALUE,
    interval: str = "",
) -> Panel:
    """The newest value as a number or a word; several queries or fields stand side by side with their names."""
    asked = [queries] if isinstance(queries, Query) else list(queries)
    panel = panel_of("stat", title, about, asked, time_from=time_from, interval=interval)
    defaults = _defaults(unit, steps, words or {}, no_value, to, "Details")
    if decimals is not None:
        defaults["decimals"] = decimals
    panel["fieldConfig"] = {"defaults": defaults, "overrides": _shown(shown)}
    panel["options"] = {
        "reduceOptions": _LATEST,
        "orientation": "vertical" if named else "auto",
        "textMode": "value_and_name" if named else "value",
        "colorMode": "background" if background else "value",
        "graphMode": "area" if spark else "none",
        "justifyMode": "auto",
        "text": {"valueSize": size} | ({"titleSize": 13} if named else {}),
    }
    return panel


def gauge(
    title: str, about: str, query: Query, unit: str, steps: Steps, *, most: float, to: str = "", time_from: str = ""
) -> Panel:
    """A share of a limit on a dial."""
    panel = panel_of("gauge", title, about, [query], time_from=time_from)
    defaults = _defaults(unit, steps, {}, NO_VALUE, to, "Details") | {"min": 0, "max": most, "decimals": 0}
    panel["fieldConfig"] = {"defaults": defaults, "overrides": []}
    panel["options"] = {
        "reduceOptions": _LATEST, "showThresholdLabels": False, "showThresholdMarkers": True, "text": {"valueSize": 26},
    }  # fmt: skip
    return panel


class Line(NamedTuple):
    """How one line of a chart is drawn where it differs: `dash` for what is compared with, `right` for another unit."""

    name: str
    colour: str = ""
    width: int = 0
    fill: int = -1
    dash: bool = False
    right: str = ""
    line: bool = False
    title: str = ""


def _line(line: Line) -> dict[str, Any]:
    properties: dict[str, object] = {}
    if line.colour:
        properties["color"] = {"mode": "fixed", "fixedColor": line.colour}
    if line.width:
        properties["custom.lineWidth"] = line.width
    if line.fill >= 0:
        properties["custom.fillOpacity"] = line.fill
    if line.dash:
        properties["custom.lineStyle"] = {"fill": "dash", "dash": [8, 6]}
    if line.title:
        properties["displayName"] = line.title
    if line.line:
        properties["custom.drawStyle"] = "line"
    if line.right:
        properties |= {"unit": unit_id(line.right), "custom.axisPlacement": "right", "min": 0}
        if line.right == "share":
            properties["max"] = 1
    return override(line.name, properties)


def _drawn(*, bars: bool, stairs: bool, fill: int, joined: bool, stacked: bool) -> dict[str, Any]:
    """How the lines of `curves` are drawn."""
    return {
        "drawStyle": "bars" if bars else "line",
        "lineInterpolation": "stepAfter" if stairs else "linear",
        "lineWidth": 1 if bars else 2,
        "fillOpacity": 70 if bars else fill,
        "gradientMode": "none",
        "spanNulls": joined,
        "insertNulls": False,
        "showPoints": "always" if joined else "never",
        "pointSize": 4,
        "axisPlacement": "auto",
        "axisLabel": "",
        "scaleDistribution": {"type": "linear"},
        "hideFrom": {"tooltip": False, "viz": False, "legend": False},
        "stacking": {"mode": "normal" if stacked else "none", "group": "A"},
    }


def curves(
    title: str,
    about: str,
    queries: Sequence[Query],
    unit: str,
    *,
    lines: Sequence[Line] = (),
    words: Mapping[Any, Any] | None = None,
    legend: str = "bottom",
    time_from: str = "",
    interval: str = "",
    stairs: bool = False,
    bars: bool = False,
    joined: bool = False,
    fill: int = 8,
    least: float | None = 0,
    most: float | None = None,
    decimals: int | None = None,
    stacked: bool = False,
) -> Panel:
    """Lines over time; a gap stays a gap unless `joined` (values of months). `legend`: bottom, right or none."""
    panel = panel_of("timeseries", title, about, queries, time_from=time_from, interval=interval)
    custom = _drawn(bars=bars, stairs=stairs, fill=fill, joined=joined, stacked=stacked)
    defaults: dict[str, Any] = {
        "unit": unit_id(unit), "noValue": NO_DATA, "custom": custom, "color": {"mode": "palette-classic"},
        "mappings": mappings(words or {}), "thresholds": thresholds(NUMBER),
    }  # fmt: skip
    for key, value in (("min", least), ("max", most), ("decimals", decimals)):
        if value is not None:
            defaults[key] = value
    panel["fieldConfig"] = {"defaults": defaults, "overrides": [_line(line) for line in lines]}
    panel["options"] = {
        "legend": {
            "displayMode": "list", "placement": "right" if legend == "right" else "bottom", "calcs": [],
            "showLegend": legend != "none",
        },
        "tooltip": {"mode": "multi", "sort": "desc"},
    }  # fmt: skip
    return panel


def ranking(
    title: str, about: str, query: Query | Sequence[Query], unit: str, *, steps: Steps = NUMBER, most: float | None = None,
    time_from: str = "", decimals: int = 0, shown: Sequence[Shown] = (), no_value: str = NO_VALUE,
) -> Panel:  # fmt: skip
    """One horizontal bar for each name."""
    asked = [query] if isinstance(query, Query) else query
    panel = panel_of("bargauge", title, about, asked, time_from=time_from)
    defaults = _defaults(unit, steps, {}, no_value, "", "") | {"min": 0, "decimals": decimals}
    if most is not None:
        defaults["max"] = most
    panel["fieldConfig"] = {"defaults": defaults, "overrides": _shown(shown)}
    panel["options"] = {
        "reduceOptions": _LATEST, "orientation": "horizontal", "displayMode": "basic", "showUnfilled": True,
        "minVizWidth": 0, "minVizHeight": 10, "valueMode": "color", "text": {"valueSize": 15, "titleSize": 13},
    }  # fmt: skip
    return panel


def grid(
    title: str, about: str, queries: Sequence[Query], unit: str, *, scheme: str = "Viridis", time_from: str = "",
    interval: str = "", least: float | None = None, most: float | None = None, decimals: int = 1, legend: bool = True,
) -> Panel:  # fmt: skip
    """A heat map of named lines. Viridis for patterns; RdYlGn only where a value is good or bad."""
    panel = panel_of("heatmap", title, about, queries, time_from=time_from, interval=interval)
    custom = {"scaleDistribution": {"type": "linear"}, "hideFrom": {"tooltip": False, "viz": False, "legend": False}}
    panel["fieldConfig"] = {
        "defaults": {"unit": unit_id(unit), "noValue": NO_DATA, "custom": custom},
        "overrides": [],
    }
    colour: dict[str, Any] = {
        "mode": "scheme",
        "scheme": scheme,
        "fill": "dark-orange",
        "reverse": False,
        "steps": 64,
        "exponent": 0.5,
    }
    colour |= {key: value for key, value in (("min", least), ("max", most)) if value is not None}
    panel["options"] = {
        "calculate": False,
        "rowsFrame": {"layout": "auto"},
        "cellValues": {"unit": unit_id(unit), "decimals": decimals},
        "cellGap": 1,
        "color": colour,
        "yAxis": {"axisPlacement": "left", "reverse": False},
        "legend": {"show": legend},
        "tooltip": {"show": True, "mode": "single", "yHistogram": False},  # `show` until 10, `mode` from 11 on
        "exemplars": {"color": "rgba(255,0,255,0.7)"},
        "filterValues": {"le": 1e-09},
        "showValue": "never",
    }
    return panel


def states(
    title: str, about: str, query: Query, words: Mapping[Any, Any], steps: Steps, *, time_from: str = ""
) -> Panel:
    """Which state each device was in, over time; a gap is a gap."""
    panel = panel_of("state-timeline", title, about, [query], time_from=time_from, interval="5m")
    defaults = _defaults("", steps, words, "not heard", "", "")
    defaults["custom"] = {
        "fillOpacity": 80, "lineWidth": 0, "spanNulls": False, "insertNulls": False,
        "hideFrom": {"tooltip": False, "viz": False, "legend": False},
    }  # fmt: skip
    panel["fieldConfig"] = {"defaults": defaults, "overrides": []}
    panel["options"] = {
        "mergeValues": True, "showValue": "never", "alignValue": "left", "rowHeight": 0.85,
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []},
        "tooltip": {"mode": "single", "sort": "none"},
    }  # fmt: skip
    return panel


def site_map(title: str, about: str, query: Query, colour_by: str, steps: Steps, words: Mapping[Any, Any]) -> Panel:
    """Devices on a map, by their fields `lat` and `lon`. Tiles come from Grafana's base map (it needs the network)."""
    panel = panel_of("geomap", title, about, [query])
    panel["fieldConfig"] = {"defaults": _defaults("", steps, words, NO_VALUE, "", ""), "overrides": []}
    style = {
        "color": {"field": colour_by, "fixed": BLUE}, "opacity": 0.85, "size": {"fixed": 9, "min": 4, "max": 12},
        "symbol": {"fixed": "img/icons/marker/circle.svg", "mode": "fixed"},
        "text": {"field": "site", "mode": "field", "fixed": ""}, "textConfig": {"fontSize": 11, "offsetX": 0, "offsetY": 16},
    }  # fmt: skip
    layer = {
        "type": "markers", "name": "devices", "tooltip": True,
        "location": {"mode": "coords", "latitude": "lat", "longitude": "lon"},
        "config": {"style": style, "showLegend": True},
    }  # fmt: skip
    panel["options"] = {
        "view": {"id": "fit", "allLayers": True, "lat": 0, "lon": 0, "zoom": 12, "padding": 15},
        "controls": {"showZoom": True, "mouseWheelZoom": False, "showAttribution": True, "showScale": False,
                     "showMeasure": False, "showDebug": False},
        "basemap": {"type": "default", "name": "Base map", "config": {}},
        "layers": [layer],
        "tooltip": {"mode": "details"},
    }  # fmt: skip
    return panel
