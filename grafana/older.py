"""Dashboards for a Grafana before 10: the same panels in the JSON of Grafana 7.5, which 8 and 9 bring up to date themselves.

What such a server cannot draw is replaced: a state timeline by a heat map, a map by a sentence.
"""

from __future__ import annotations

import copy
from typing import Any

SCHEMA = 27
_CELLS = {"color-background": "color-background", "color-text": "color-text", "gauge": "basic", "auto": "auto"}
_NO_MAP = "A map of the stations needs Grafana 10 or later. The positions are in the measurement `device`."


def for_older(dashboard: dict[str, Any]) -> dict[str, Any]:
    """The dashboard for Grafana 7.5 to 9."""
    made = copy.deepcopy(dashboard) | {"schemaVersion": SCHEMA, "style": "dark"}
    for variable in made["templating"]["list"]:
        if "datasource" in variable:
            variable["datasource"] = "$datasource"
    for annotation in made["annotations"]["list"]:
        annotation["datasource"] = "$datasource"
    made["panels"] = [_panel(panel) for panel in made["panels"]]
    return made


def _panel(panel: dict[str, Any]) -> dict[str, Any]:
    if panel["type"] == "geomap":
        kept = {key: panel[key] for key in ("id", "title", "description", "gridPos")}
        return {**kept, "type": "text", "options": {"mode": "markdown", "content": _NO_MAP}, "targets": []}
    panel["datasource"] = "$datasource"
    for query in panel["targets"]:
        del query["datasource"]
    config = panel["fieldConfig"]
    if panel["type"] == "state-timeline":
        panel = _as_heat_map(panel)
    if panel["type"] == "heatmap":
        _angular(panel)
    _field(config["defaults"])
    for override in config["overrides"]:
        override["properties"] = [_property(p) for p in override["properties"]]
    legend = panel["options"].get("legend", {})
    if legend.get("showLegend") is False:
        legend["displayMode"] = "hidden"
    return panel


def _field(field: dict[str, Any]) -> None:
    if "mappings" in field:
        field["mappings"] = _mappings(field["mappings"])
    custom = field.get("custom", {})
    if "cellOptions" in custom:
        custom["displayMode"] = _CELLS[custom.pop("cellOptions")["type"]]


def _property(entry: dict[str, Any]) -> dict[str, Any]:
    if entry["id"] == "mappings":
        return {"id": "mappings", "value": _mappings(entry["value"])}
    if entry["id"] == "custom.cellOptions":
        return {"id": "custom.displayMode", "value": _CELLS[entry["value"]["type"]]}
    return entry


def _mappings(mappings: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Words only; their colours come from the thresholds."""
    return [
        {"id": number, "type": 1, "op": "=", "value": value, "text": option["text"]}
        for mapping in mappings
        for number, (value, option) in enumerate(mapping["options"].items())
    ]


def _as_heat_map(panel: dict[str, Any]) -> dict[str, Any]:
    """States as colours, one line a device: 1 free, 2 charging, 3 connected, 4 fault, so that they go from blue to red."""
    moved = '1 + 11 * "s" / 2 - 9 * "s" * "s" / 2 + "s" * "s" * "s"'
    for query in panel["targets"]:
        inner = query["query"].replace("fill(null)", "fill(none)")
        query["query"] = f'SELECT {moved} AS "v" FROM ({inner}) GROUP BY "device"'
    panel["type"], panel["interval"] = "heatmap", "15m"
    colour = {"scheme": "Spectral", "min": 1, "max": 4}
    panel["options"] = {"color": colour, "cellValues": {"decimals": 0}, "legend": {"show": True}}
    return panel


def _angular(panel: dict[str, Any]) -> None:
    """The keys that the heat map of Grafana 7 and 8 reads."""
    options = panel["options"]
    colour = options["color"]
    panel |= {
        "heatmap": {}, "dataFormat": "tsbuckets", "yBucketBound": "middle", "reverseYBuckets": False,
        "cards": {"cardPadding": 1, "cardRound": 0}, "legend": {"show": options["legend"]["show"]}, "hideZeroBuckets": True,
        "highlightCards": True, "xAxis": {"show": True}, "tooltip": {"show": True, "showHistogram": False},
        "color": {
            "mode": "spectrum", "colorScale": "linear", "exponent": 0.5, "colorScheme": f"interpolate{colour['scheme']}",
            "min": colour.get("min"), "max": colour.get("max"),
        },
        "yAxis": {"show": True, "format": "none", "decimals": options["cellValues"]["decimals"], "logBase": 1},
    }  # fmt: skip
