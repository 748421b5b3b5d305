"""What all dashboards share: variables, annotations, links, and panels laid out line by line on Grafana's 24 columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from grafana import DATASOURCE_UID
from grafana.influx import CITY, DATASOURCE
from grafana.panels import Panel

COLUMNS = 24
SCHEMA = 38  # of Grafana 10.1 and later; push.py makes an older one for an older server
Variable = dict[str, Any]


class Row(NamedTuple):
    """Panels side by side, each with its width, and their height. `height` of 30 pixels each, 8 between two."""

    height: int
    panels: Sequence[tuple[int, Panel]]


def dashboard(
    uid: str,
    title: str,
    question: str,
    rows: Sequence[Row],
    *,
    since: str,
    until: str = "now",
    refresh: str = "1m",
    variables: Sequence[Variable] = (),
    city: bool = True,
) -> dict[str, Any]:
    """A dashboard that answers one question, named in its description."""
    own = [city_variable(), zone_variable()] if city else []
    return {
        "uid": f"cityvitals-{uid}",
        "title": title,
        "description": question,
        "tags": ["cityvitals"],
        "schemaVersion": SCHEMA,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "timezone": "browser",
        "time": {"from": since, "to": until},
        "refresh": refresh,
        "timepicker": {"refresh_intervals": ["30s", "1m", "5m", "15m", "1h"]},
        "templating": {"list": [datasource_variable(), *own, *variables]},
        "annotations": {"list": [_events()] if city else []},
        "links": [_to_the_others()],
        "panels": _laid_out(rows),
    }


def _laid_out(rows: Sequence[Row]) -> list[Panel]:
    placed: list[Panel] = []
    y = 0
    for row in rows:
        x = 0
        for width, panel in row.panels:
            placed.append({"id": len(placed) + 1, **panel, "gridPos": {"h": row.height, "w": width, "x": x, "y": y}})
            x += width
        y += row.height
    return placed


def _to_the_others() -> dict[str, Any]:
    return {
        "type": "dashboards", "title": "CityVitals", "tags": ["cityvitals"], "asDropdown": False, "includeVars": True,
        "keepTime": False, "icon": "external link", "targetBlank": False, "tooltip": "", "url": "",
    }  # fmt: skip


def _events() -> dict[str, Any]:
    """Grafana 7 to 9.1 reads the query beside the name; later versions read it in `target` only."""
    asked = {
        "query": f'SELECT "text", "until", "kind" FROM "event" WHERE {CITY} AND $timeFilter', "fromAnnotations": True,
        "textColumn": "text", "tagsColumn": "kind", "timeEndColumn": "until", "titleColumn": "",
    }  # fmt: skip
    target = asked | {
        "refId": "Anno",
        "queryType": "tags",
        "name": "Events",
        "limit": 100,
        "matchAny": False,
        "tags": [],
        "type": "tags",
    }
    return {
        "name": "Events", "datasource": DATASOURCE, "enable": True, "hide": True, "iconColor": "blue", **asked,
        "target": target,
    }  # fmt: skip


def datasource_variable() -> Variable:
    """The store; hidden, because one that serves all dashboards is chosen at `push`."""
    current = {"selected": True, "text": DATASOURCE_UID, "value": DATASOURCE_UID}
    return {
        "name": "datasource", "label": "Store", "type": "datasource", "query": "influxdb", "hide": 2, "refresh": 1,
        "current": current, "options": [], "regex": "", "multi": False, "includeAll": False, "skipUrlSync": False,
    }  # fmt: skip


def from_store(
    name: str, label: str, query: str, *, many: bool = False, hidden: bool = False, current: str = ""
) -> Variable:
    """A variable whose values come from the store; `many`: several may be chosen, and all are at first."""
    made: Variable = {
        "name": name, "label": label, "type": "query", "datasource": DATASOURCE, "query": query, "definition": query,
        "refresh": 2 if hidden else 1, "sort": 1, "regex": "", "hide": 2 if hidden else 0, "multi": many,
        "includeAll": many, "options": [], "skipUrlSync": hidden,
    }  # fmt: skip
    if many:
        made |= {"allValue": ".*", "current": {"selected": True, "text": ["All"], "value": ["$__all"]}}
    elif current:
        made["current"] = {"selected": True, "text": current, "value": current}
    return made


def choice(name: str, label: str, options: dict[str, str], first: str) -> Variable:
    """A variable with the given options, text by value; `first` is chosen at first."""
    query = ",".join(f"{_plain(text)} : {value}" for value, text in options.items())
    listed = [{"text": text, "value": value, "selected": value == first} for value, text in options.items()]
    return {
        "name": name, "label": label, "type": "custom", "query": query, "options": listed, "hide": 0, "multi": False,
        "includeAll": False, "current": {"selected": True, "text": options[first], "value": first}, "skipUrlSync": False,
    }  # fmt: skip


def _plain(text: str) -> str:
    """Commas and colons separate Grafana's options."""
    return text.replace(",", "").replace(" :", "").replace(":", "")


def entered(name: str, label: str, value: str) -> Variable:
    """A variable that people type."""
    current = {"selected": True, "text": value, "value": value}
    return {
        "name": name, "label": label, "type": "textbox", "query": value, "current": current, "options": [current],
        "hide": 0, "skipUrlSync": False,
    }  # fmt: skip


def city_variable() -> Variable:
    """The city."""
    return from_store("city", "City", 'SHOW TAG VALUES FROM "kpi" WITH KEY = "city"')


def zone_variable() -> Variable:
    """The city's time zone, by which days are divided."""
    return from_store("tz", "", f'SELECT "timezone" FROM "registry" WHERE {CITY}', hidden=True, current="UTC")


def devices_variable(name: str, label: str, *quantities: str) -> Variable:
    """The devices of the city that have one of these quantities; several may be chosen."""
    only = f' AND "quantity" =~ /^({"|".join(quantities)})$/' if quantities else ' AND "quantity" !~ /^gw_/'
    query = f'SHOW TAG VALUES FROM "hour" WITH KEY = "device" WHERE {CITY}{only}'
    return from_store(name, label, query, many=True)
