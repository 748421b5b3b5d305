"""Putting a dashboard's queries to InfluxDB the way Grafana does: variables replaced, time ranges worked out."""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

from grafana.build import FOLDER
from telemetry.windows import DAY, HOUR, MINUTE

_UNITS = {"m": MINUTE, "h": HOUR, "d": DAY, "w": 7 * DAY, "y": 365 * DAY}


class Asked(NamedTuple):
    """One query of one panel, with its variables replaced."""

    dashboard: str
    panel: str
    letter: str
    text: str
    alias: str

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.dashboard}: {self.panel} {self.letter}"


def dashboards() -> dict[str, dict[str, Any]]:
    """The committed dashboards by name."""
    return {path.stem: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))}


def _ago(text: str, now: int) -> int:
    """The start of `now-7d`, `now/d`, `7d`."""
    if text.endswith("/d"):
        return now // DAY * DAY
    found = re.fullmatch(r"(?:now-)?(\d+)([mhdwy])", text)
    assert found, text
    return now - int(found[1]) * _UNITS[found[2]]


def replaced(
    query: str, start: int, end: int, city: str, values: dict[str, str] | None = None, least: str = "1m"
) -> str:
    """The query with variables put in the way Grafana's InfluxDB data source does it."""
    quoted = city.replace("\\", "\\\\").replace("'", "\\'")
    known = {
        "$timeFilter": f"time >= {start}ms and time <= {end}ms",
        "$__interval": _interval(end - start, least),
        "${__from}": str(start),
        "${__to}": str(end),
        "${city:singlequote}": f"'{quoted}'",
        "${quantity:singlequote}": "'pm2_5'",
        "${cities:regex}": ".*",
        "$tz": "Europe/London",
        "$norm": "WHO_DAYS",
        "$period": "365d|year",
        "$sub": ".*",
        "${step:singlequote}": "'month'",
        "${code:singlequote}": "'EN:EN:AQ:1C'",
        "${part:singlequote}": "'pm2_5'",
        "${part:raw}": "pm2_5|pm2_5:reported",
    } | (values or {})
    for name in sorted(known, key=len, reverse=True):
        query = query.replace(name, known[name])
    query = re.sub(r"\$\{(device|meter|charger):regex\}", ".*", query)
    assert not re.search(r"\$[\w{]", query), f"an unknown variable is left in: {query}"
    return query


def _interval(span: int, least: str) -> str:
    """About 200 points, at least what the panel says."""
    found = re.fullmatch(r"(\d+)([mhdw])", least)
    assert found, least
    return f"{max(span // 200, int(found[1]) * _UNITS[found[2]]) // MINUTE}m"


def asked(now: int, city: str, values: dict[str, str] | None = None) -> list[Asked]:
    """Every query of every panel, in the time range its panel has at `now`."""
    found = []
    for name, board in dashboards().items():
        for panel in board["panels"]:
            since = panel.get("timeFrom") or board["time"]["from"]
            start, end = _ago(since, now), now
            for query in panel.get("targets", []):
                text = replaced(query["query"], start, end, city, values, panel.get("interval", "1m"))
                found.append(Asked(name, panel["title"], query["refId"], text, query["alias"]))
    return found
