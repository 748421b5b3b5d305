"""What every panel of every dashboard must have, so that an operator can read it: checked by a test and before a push.

Title, description and unit; a text for no value; the base step of colours grey; a legend where there are several lines; gaps
left open; a minimum where bars begin.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from grafana.colours import FAINT, GREY

LEAST_WORDS = 5
GOOD_OR_BAD = ("stat", "gauge", "bargauge", "table", "state-timeline", "geomap")


def faults(dashboard: dict[str, Any]) -> list[str]:
    """Sentences, each naming dashboard and panel; empty where there are no faults."""
    found = [] if len(dashboard["description"].split()) >= LEAST_WORDS else ["no question in its description"]
    for panel in dashboard["panels"]:
        found += [f"{panel['title']}: {fault}" for fault in (*_of_panel(panel), *_of_queries(panel))]
    return [f"{dashboard['title']}: {fault}" for fault in found]


def _of_panel(panel: dict[str, Any]) -> Iterator[str]:
    defaults = panel["fieldConfig"]["defaults"]
    if not panel["title"]:
        yield "no title"
    if len(panel.get("description", "").split()) < LEAST_WORDS:
        yield "no description"
    if not defaults.get("unit"):
        yield "no unit"
    if not defaults.get("noValue"):
        yield "no text for no value"
    if panel["type"] in GOOD_OR_BAD:
        yield from _of_colours(panel)
    if panel["type"] == "timeseries":
        yield from _of_lines(panel)
    if panel["type"] in ("gauge", "bargauge") and "min" not in defaults:
        yield "no minimum"


_ROWS = re.compile(r'FROM "(?:kpi|state|event)"(?P<where>.*?)(?=FROM "|$)')
_BOUNDS = ("$timeFilter", "time <= now()", "${__to}")


def _of_queries(panel: dict[str, Any]) -> Iterator[str]:
    """A query for the newest row must end at the present: a clock that was ahead may have left rows in the future."""
    for query in (t.get("query", "") for t in panel.get("targets", ())):
        if any(not any(bound in rows["where"] for bound in _BOUNDS) for rows in _ROWS.finditer(query)):
            yield "a query without an end in time"


def _of_colours(panel: dict[str, Any]) -> Iterator[str]:
    scales = [panel["fieldConfig"]["defaults"]["thresholds"]]
    for override in panel["fieldConfig"]["overrides"]:
        scales += [p["value"] for p in override["properties"] if p["id"] == "thresholds"]
    for scale in scales:
        first, *steps = scale["steps"]
        if first["value"] is not None or first["color"] not in (GREY, FAINT):
            yield "no value is not grey"
        if not steps or [s["value"] for s in steps] != sorted(s["value"] for s in steps):
            yield "colours without steps in order"


def _of_lines(panel: dict[str, Any]) -> Iterator[str]:
    custom = panel["fieldConfig"]["defaults"]["custom"]
    if custom["spanNulls"] and custom["showPoints"] != "always":
        yield "lines drawn over gaps without their points"
    if (
        len(panel["targets"]) > 1
        and not panel["options"]["legend"]["showLegend"]
        and not panel["fieldConfig"]["overrides"]
    ):
        yield "several lines without a legend"
