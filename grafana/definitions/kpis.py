"""KPIs: which of the 91 (and the local ones) have a value, are on target, and what are they made of?"""

from __future__ import annotations

from typing import Any

from grafana.colours import BLUE, GREY, ORANGE, VERDICT, VERDICT_WORDS
from grafana.frame import Row, choice, dashboard, entered
from grafana.influx import CITY, PAST, VALUED, Query, all_of
from grafana.panels import Line, Panel, curves, number
from grafana.shared.kpis import GROUPS, KPI_WORDS, PART_WORDS, PARTS, STATUS_WORDS, size_of
from grafana.tables import Column, listing
from grafana.units import UNIT_WORDS
from kpi_derivation.catalogue import KPIS
from telemetry.periods import KINDS

HISTORY = '"period" = ${step:singlequote}'
PERIOD = '"period" =~ /^($period)$/'
SUB = '"code" =~ /^$sub/'
CODE = '"code" = ${code:singlequote}'
NEWEST = "365d|year"  # of a city that is no longer fed its last year
PERIOD_WORDS: dict[str, str] = {NEWEST: "newest year"} | {
    kind: {"24h": "last 24 hours", "365d": "last 365 days"}.get(kind, kind) for kind in KINDS
}


def build() -> dict[str, Any]:
    """The dashboard."""
    rows = [
        Row(4, [(3, _group(*group)) for group in GROUPS]),
        Row(13, [(15, _with_value()), (9, _targets())]),
        Row(9, [(10, _history()), (5, _coverage()), (9, _values())]),
        Row(10, [(24, _without())]),
    ]
    derivable = {code: kpi.name for code, kpi in KPIS.items() if kpi.derivable}
    variables = [
        choice("period", "Period", PERIOD_WORDS, NEWEST),
        choice("sub", "Group", {".*": "all"} | {f"{prefix}:": name for prefix, name, _ in GROUPS}, ".*"),
        choice("step", "History by", {kind: PERIOD_WORDS[kind] for kind in KINDS}, "month"),
        choice("code", "Indicator", derivable, "EN:EN:AQ:1C"),
        entered("api", "API", "http://localhost:8000"),
    ]
    question = (
        "Which of the 91 indicators (and the local ones) have a value, which are on target, and what are they made of?"
    )
    return dashboard("kpis", "KPIs", question, rows, since="now-1y", refresh="5m", variables=variables)


def _group(prefix: str, title: str, _: str) -> Panel:
    size = size_of(prefix)
    about = f"Indicators of this sub-dimension with a value in the chosen kind of period, of {size}. Click to see only these below."
    where = all_of(CITY, PERIOD, VALUED, f'"code" =~ /^{prefix}:/')
    query = f'SELECT count("v") AS "n" FROM (SELECT last("value") AS "v" FROM "kpi" WHERE {where} GROUP BY "code")'
    return number(title, about, Query(query, "n"), f"of {size}", size=26, decimals=0, to=f"kpis&var-sub={prefix}:&var-period=${{period}}",
                  no_value="none")  # fmt: skip


def _with_value() -> Panel:
    about = "Newest value of every indicator for the chosen kind of period. Revision 2 or more: late data changed a final value."
    fields = '"value", "unit", "label", "coverage", "status", "n_devices", "revision"'
    query = Query(
        f'SELECT {fields} FROM "kpi" WHERE {all_of(CITY, PERIOD, SUB, VALUED)} GROUP BY "code", "part" ORDER BY time DESC LIMIT 1',
        table=True,
    )
    columns = [
        Column("code", "Indicator", words=KPI_WORDS, to="kpis&var-code=${__value.raw}&var-period=${period}"),
        Column("part", "Part", 76, words=PART_WORDS),
        Column("value", "Value", 72, decimals=2),
        Column("unit", "Unit", 100, words=UNIT_WORDS),
        Column("label", "Period", 78),
        Column("coverage", "Coverage", 78, "coloured", unit="share", decimals=0, steps=((0, ORANGE), (0.75, GREY))),
        Column("status", "Status", 92, words=STATUS_WORDS),
        Column("n_devices", "Devices", 66, decimals=0),
        Column("revision", "Rev.", 46, "coloured", decimals=0, steps=((0, GREY), (2, ORANGE))),
    ]
    return listing("Indicators with a value", about, query, columns, sort="Indicator", descending=False)


def _targets() -> Panel:
    about = "Newest values that have a target in the city file, off target first. Targets of a year are not held against a day."
    where = all_of(CITY, PERIOD, SUB, VALUED, '"verdict" > 0')
    query = Query(
        f'SELECT "verdict", "value", "target" FROM "kpi" WHERE {where} GROUP BY "code", "part" ORDER BY time DESC LIMIT 1',
        table=True,
    )
    columns = [
        Column("verdict", "Verdict", 90, "coloured", words=VERDICT_WORDS, steps=VERDICT),
        Column("code", "Indicator", words=KPI_WORDS, to="kpis&var-code=${__value.raw}&var-period=${period}"),
        Column("part", "Part", 65, words=PART_WORDS),
        Column("value", "Value", 75, decimals=2),
        Column("target", "Target", 75, decimals=2),
    ]
    return listing("Against the city's targets", about, query, columns, sort="Verdict", descending=False)


def _history() -> Panel:
    about = (
        "Every value of the chosen indicator by the kind of period chosen as History by, and its target. Periods without a value are left"
        " open. Of the last 24 hours and 365 days there is a value for each hour or day that ingest ran, at its end."
    )
    where = all_of(CITY, CODE, HISTORY, VALUED, "$timeFilter")
    queries = [
        Query(f'SELECT "value" FROM "kpi" WHERE {where} GROUP BY "part"', "$tag_part"),
        Query(
            f'SELECT "target" FROM "kpi" WHERE {all_of(where, chr(34) + "verdict" + chr(34) + " > 0")} GROUP BY "part"',
            "target $tag_part",
        ),
    ]
    lines = [Line("-", BLUE), Line("target -", ORANGE, 1, 0, dash=True)]
    lines += [Line(part, title=title) for part, title in PARTS.items()]
    lines += [Line(f"target {part}", ORANGE, 1, 0, dash=True, title=f"target {title}") for part, title in PARTS.items()]
    return curves(
        "${code:text}", about, queries, "", lines=lines, legend="right", joined=True, time_from="2y", fill=0, least=None
    )


def _coverage() -> Panel:
    about = "Coverage of the same values; under the dashed line there is no value."
    where = all_of(CITY, CODE, HISTORY, "$timeFilter")
    queries = [
        Query(f'SELECT "coverage" FROM "kpi" WHERE {where} GROUP BY "part"', "$tag_part"),
        Query(
            f'SELECT max("coverage") * 0 + 0.75 AS "needed" FROM "kpi" WHERE {where} GROUP BY time(1d) fill(none)',
            "needed",
        ),
    ]
    lines = [Line("needed", ORANGE, 1, 0, dash=True)]
    return curves(
        "Its coverage",
        about,
        queries,
        "share",
        lines=lines,
        legend="none",
        joined=True,
        time_from="2y",
        most=1,
        fill=0,
        decimals=0,
    )


def _values() -> Panel:
    about = "The same values in words, the newest first. A period leads to the proof of its value over the API (address in the variable API)."
    fields = '"label", "part", "value", "previous", "revision", "status", "method", "notes"'
    query = Query(
        f'SELECT {fields} FROM "kpi" WHERE {all_of(CITY, CODE, HISTORY, PAST)} ORDER BY time DESC LIMIT 60', table=True
    )
    proof = "${api}/v1/cities/${city}/kpis/${code}/explain?period=${__value.raw}"
    columns = [
        Column("label", "Period", 90, to=proof),
        Column("part", "Part", 65, words=PART_WORDS),
        Column("value", "Value", 75, "coloured", decimals=2),
        Column("previous", "Before", 75, "coloured", decimals=2),
        Column("revision", "Rev.", 50, decimals=0),
        Column("status", "Status", 112, words=STATUS_WORDS),
        Column("method", "Method", 150),
        Column("notes", "Notes", 320),
    ]
    return listing("Its values, with notes", about, query, columns, sort="Period")


def _without() -> Panel:
    about = "Indicators that were derived and have no value, with the reason. Never shown as 0."
    where = all_of(CITY, PERIOD, SUB, '"valued" = 0', PAST)
    query = Query(
        f'SELECT "notes", "label", "coverage" FROM "kpi" WHERE {where} GROUP BY "code", "part" ORDER BY time DESC LIMIT 1',
        table=True,
    )
    columns = [
        Column("code", "Indicator", 260, words=KPI_WORDS, to="kpis&var-code=${__value.raw}&var-period=${period}"),
        Column("part", "Part", 90, words=PART_WORDS),
        Column("label", "Period", 95),
        Column("coverage", "Coverage", 85, unit="share", decimals=0),
        Column("notes", "Why"),
    ]
    return listing("Without a value, and why", about, query, columns, sort="Indicator", descending=False)
