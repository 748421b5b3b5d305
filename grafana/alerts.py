"""The alert rules as Grafana provisions them: YAML of unified alerting (Grafana 10 and later)."""

from __future__ import annotations

from typing import Any

import yaml

from grafana import DATASOURCE_UID
from grafana.policy import from_policy
from grafana.rules import GROUPS, Rule, minutes

FOLDER = "CityVitals"
_HEADER = """\
# Made by `python -m grafana build` from grafana/rules.py; do not edit. Read by Grafana at its start, from provisioning/alerting.
# Who is notified is configured by you: deploy/grafana/ has examples of contact points and policies.
"""


def rendered(policy: str = "") -> str:
    """The text of the provisioning file. `policy`: the retention policy of KPI values and rows of devices."""
    groups = [from_policy(_group(name, rules), policy) for name, rules in GROUPS.items()]
    made = {"apiVersion": 1, "groups": groups}
    return _HEADER + yaml.safe_dump(made, sort_keys=False, allow_unicode=True, width=120)


def rule_groups(folder: str, datasource: str) -> list[tuple[str, dict[str, Any]]]:
    """Each group by name as the provisioning API reads it; `folder` and `datasource` are uids."""
    found = []
    for name, rules in GROUPS.items():
        every = 60 * min(minutes(rule.every) for rule in rules)
        placed = {"orgID": 1, "folderUID": folder, "ruleGroup": name}
        made = [{**_rule(rule), **placed} for rule in rules]
        for query in (q for rule in made for q in rule["data"] if "datasourceUid" in q):
            if query["datasourceUid"] == DATASOURCE_UID:
                query["datasourceUid"] = datasource
        found.append((name, {"title": name, "folderUid": folder, "interval": every, "rules": made}))
    return found


def _group(name: str, rules: tuple[Rule, ...]) -> dict[str, Any]:
    """A group is evaluated together, as often as its most frequent rule requires."""
    every = min((rule.every for rule in rules), key=minutes)
    return {"orgId": 1, "name": name, "folder": FOLDER, "interval": every, "rules": [_rule(rule) for rule in rules]}


def _rule(rule: Rule) -> dict[str, Any]:
    """A: the query, B: its newest value by series, C: over the limit. With `over`: D, E its value, F = B / E."""
    data = [_query("A", rule.query), _expression("B", "reduce", "A")]
    compared = "B"
    if rule.over:
        data += [_query("D", rule.over), _expression("E", "reduce", "D"), _expression("F", "math", "$B / $E")]
        compared = "F"
    data.append(_expression("C", "threshold", compared, rule.limit))
    return {
        "uid": f"cv-{rule.uid}",
        "title": rule.title,
        "condition": "C",
        "data": data,
        "noDataState": "Alerting" if rule.silent_is_bad else "OK",
        "execErrState": "Error",
        "for": rule.hold,
        "annotations": {
            "summary": rule.summary.replace("$values.B.", f"$values.{compared}."),
            "description": rule.about,
            "dashboard": f"/d/cityvitals-{rule.dashboard}?var-city={{{{ $labels.city }}}}",
        },
        "labels": {"severity": rule.severity, "service": "cityvitals"},
        "isPaused": False,
    }


def _query(letter: str, text: str) -> dict[str, Any]:
    """The range is not used by queries that name their own times; Grafana requires one."""
    model = {
        "refId": letter, "rawQuery": True, "resultFormat": "time_series", "query": text, "intervalMs": 60_000,
        "maxDataPoints": 43_200,
    }  # fmt: skip
    return {
        "refId": letter,
        "relativeTimeRange": {"from": 3600, "to": 0},
        "datasourceUid": DATASOURCE_UID,
        "model": model,
    }


def _expression(letter: str, kind: str, expression: str, limit: float | None = None) -> dict[str, Any]:
    model: dict[str, Any] = {
        "refId": letter, "type": kind, "expression": expression, "datasource": {"type": "__expr__", "uid": "__expr__"},
    }  # fmt: skip
    if kind == "reduce":
        model |= {"reducer": "last", "settings": {"mode": "dropNN"}}
    if limit is not None:
        model["conditions"] = [{"type": "query", "evaluator": {"type": "gt", "params": [limit]}}]
    return {"refId": letter, "relativeTimeRange": {"from": 3600, "to": 0}, "datasourceUid": "__expr__", "model": model}
