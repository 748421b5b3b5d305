"""Panels about electricity that several dashboards show. The contracted power is the city's target for LOCAL:E:PEAK."""

from __future__ import annotations

from typing import Any

from grafana.colours import BLUE, GREEN, GREY, ORANGE, RED, YELLOW
from grafana.influx import CITY, Query, kpi, select, shifted, total
from grafana.panels import Line, curves, gauge, number

METERS = ("energy_total", "energy_delta", "power")


def power_now(only: str = "") -> dict[str, Any]:
    """The power of all meters."""
    about = "Mean power of the last five minutes of all meters that report power, registered or not, together. The line is the last 24 hours."
    query = Query(total("window", "power", "time(5m, now())", only), "power")
    return number("Power now", about, query, "W", time_from="24h", spark=True, decimals=2, to="energy")


def left_of_contract() -> dict[str, Any]:
    """The month's peak as a share of the contracted power."""
    about = (
        "Highest quarter of an hour of all meters this month (LOCAL:E:PEAK) as a share of the contracted power, which is the"
        " target of LOCAL:E:PEAK in the city file."
    )
    query = Query(select('last("value") * 100 / last("target") AS "peak"', "kpi", kpi("LOCAL:E:PEAK", "month")), "peak")
    return gauge("Peak of contract", about, query, "%", ((0, GREEN), (85, ORANGE), (95, RED)), most=110, to="energy")


def power_today(title: str, only: str = "", legend: str = "bottom") -> dict[str, Any]:
    """Today's load curve against yesterday's and that of a week ago, and the contract."""
    about = (
        "Today in five minutes; yesterday and the same day last week as hourly means, moved to today's time, so that the evening"
        " ahead can be seen. A dip of one line is a gap in the data, of all lines the city."
    )
    hourly = total("hour", "power", "time(1h)", only)
    contract = (
        f'SELECT last("target") * 1000 AS "contract" FROM "kpi" WHERE {CITY} AND "code" = \'LOCAL:E:PEAK\' AND "period" = \'day\''
        " AND time > ${__from}ms - 2d AND time <= ${__to}ms GROUP BY time(15m) fill(previous)"
    )
    queries = [
        Query(total("window", "power", "time(5m, now())", only).replace("fill(none)", "fill(null)"), "today"),
        Query(shifted(hourly, 24, "yesterday"), "yesterday"),
        Query(shifted(hourly, 168, "a week ago"), "a week ago"),
        Query(contract, "contract"),
    ]
    lines = [
        Line("today", BLUE, 3, 12), Line("yesterday", YELLOW, 2, 0, dash=True), Line("a week ago", GREY, 1, 0, dash=True),
        Line("contract", RED, 1, 0),
    ]  # fmt: skip
    return curves(title, about, queries, "W", lines=lines, decimals=1, legend=legend)
