"""City now: how is the city, and what needs somebody? One screen for the wall."""

from __future__ import annotations

from typing import Any

from grafana.colours import (
    COUNT_OF_TROUBLE,
    GREEN,
    GREY,
    INDEX_WORDS,
    ORANGE,
    RED,
    TROUBLE,
    TROUBLE_WORDS,
    VERDICT,
    VERDICT_WORDS,
)
from grafana.frame import Row, dashboard
from grafana.influx import CITY, PAST, VALUED, Query, all_of
from grafana.panels import Line, Shown, curves, number
from grafana.shared.air import index_now
from grafana.shared.charging import by_state
from grafana.shared.energy import left_of_contract, power_now, power_today
from grafana.shared.fleet import state_now
from grafana.shared.kpis import KPI_WORDS, PART_WORDS
from grafana.tables import Column, listing
from grafana.units import UNIT_WORDS


def build() -> dict[str, Any]:
    """The dashboard."""
    rows = [
        Row(
            5,
            [
                (4, index_now("Air now")),
                (4, power_now()),
                (4, left_of_contract()),
                (5, _chargers()),
                (3, _silent()),
                (4, _newest()),
            ],
        ),
        Row(
            7,
            [
                (8, _air()),
                (8, power_today("Power today, yesterday, a week ago")),
                (8, by_state("Connectors, 24 hours")),
            ],
        ),
        Row(13, [(11, _attention()), (13, _targets())]),
    ]
    question = "How is the city, and what needs somebody now? One screen for the wall (add ?kiosk to the address)."
    return dashboard("now", "City now", question, rows, since="now/d", until="now/d")


def _chargers() -> dict[str, Any]:
    about = "Connectors by what they do now; those of silent chargers are not counted."
    shown = [
        Shown("fault", steps=((0, GREEN), (1, RED))), Shown("connected", title="plugged"), Shown("free", colour=GREY),
    ]  # fmt: skip
    query = state_now("charging", "connected", "free", "fault")
    return number("Chargers", about, query, "", size=26, named=True, to="charging", shown=shown, decimals=0)


def _silent() -> dict[str, Any]:
    about = "Registered devices that were heard before and are silent now: nothing for three of their intervals, at least 15 minutes."
    query = Query(
        f'SELECT last("silent") + last("silent_for_a_day") AS "silent" FROM "state" WHERE {CITY} AND time > now() - 10m AND time <= now()',
        "silent",
    )
    return number(
        "Silent devices", about, query, "", steps=COUNT_OF_TROUBLE, size=34, to="fleet", decimals=0, no_value="unknown"
    )


def _newest() -> dict[str, Any]:
    about = (
        "When the newest stored reading of any registered device was taken. Older than a few minutes: look at Pipeline."
    )
    query = Query(f'SELECT last("newest") AS "newest" FROM "state" WHERE {CITY} AND {PAST}', "newest")
    return number("Newest reading", about, query, "ago", size=19, to="pipeline")


def _air() -> dict[str, Any]:
    about = "European air quality index of every hour, of the worst station and pollutant."
    query = Query(
        f'SELECT max("band") AS "index" FROM "hour" WHERE {all_of(CITY, _TAKEN)} AND $timeFilter GROUP BY time(1h) fill(null)',
        "index",
    )
    return curves(
        "Air index of the worst station, 48 hours", about, [query], "", words={n: w for n, (w, _) in INDEX_WORDS.items()},
        time_from="48h", stairs=True, legend="none", most=6, decimals=0, lines=[Line("index", "#23938b", 2, 25)], interval="1h",
    )  # fmt: skip


_TAKEN = '"n" > 0'


def _attention() -> dict[str, Any]:
    about = "Every device that needs a person, the worst first. An empty table is the good state."
    query = Query(
        f'SELECT "trouble", "site", "since" FROM "device" WHERE {CITY} AND "trouble" > 0 GROUP BY "device"', table=True
    )
    columns = [
        Column("trouble", "What", 130, "badge", words=TROUBLE_WORDS, steps=TROUBLE),
        Column("device", "Device", 110, to="fleet&var-device=${__value.text}"),
        Column("site", "Site"),
        Column("since", "Well until", 138, "ago", no_value="never"),
    ]
    return listing("Needs attention", about, query, columns, sort="What", empty="nothing needs attention")


def _targets() -> dict[str, Any]:
    about = "Indicators of the last 365 days (or of the last year with data) that have a target in the city file; those off target first."
    query = Query(
        f'SELECT "verdict", "value", "target", "unit", "coverage" FROM "kpi" WHERE {CITY} AND "period" =~ /^(365d|year)$/ AND {VALUED}'
        ' AND "verdict" > 0 GROUP BY "code", "part" ORDER BY time DESC LIMIT 1',
        table=True,
    )
    columns = [
        Column("verdict", "Verdict", 95, "coloured", words=VERDICT_WORDS, steps=VERDICT),
        Column("code", "Indicator", words=KPI_WORDS, to="kpis&var-code=${__value.raw}"),
        Column("part", "Part", 70, words=PART_WORDS),
        Column("value", "Value", 80, decimals=2),
        Column("target", "Target", 80, decimals=2),
        Column("unit", "Unit", 112, words=UNIT_WORDS),
        Column("coverage", "Coverage", 85, "coloured", unit="share", decimals=0, steps=((0, ORANGE), (0.75, GREY))),
    ]
    return listing(
        "Indicators against the city's targets, last 365 days", about, query, columns, sort="Verdict", descending=False
    )
