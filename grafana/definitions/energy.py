"""Energy: is the load usual, how near is the peak, which meters are missing?"""

from __future__ import annotations

from typing import Any

from grafana.colours import BLUE, GREEN, GREY, ORANGE, RED
from grafana.frame import Row, dashboard, devices_variable
from grafana.influx import CITY, TAKEN, Query, all_of, by_hour_of_day, chosen, is_quantity, kpi, select, total
from grafana.panels import Line, Panel, Shown, curves, grid, number
from grafana.shared.energy import METERS, power_now, power_today
from grafana.tables import Column, listing

ONLY = chosen("meter")


def build() -> dict[str, Any]:
    """The dashboard."""
    rows = [
        Row(5, [(4, power_now(ONLY)), (4, _quarter()), (4, _peak()), (4, _left()), (4, _today()), (4, _reporting())]),
        Row(11, [(15, power_today("Power today, yesterday and a week ago", ONLY)), (9, _top())]),
        Row(10, [(12, _hours()), (12, _days())]),
        Row(10, [(12, _gaps()), (12, _months())]),
    ]
    question = "Is the load usual, how near is the peak to the contract, and which meters are missing?"
    return dashboard(
        "energy", "Energy", question, rows, since="now/d", until="now/d", refresh="5m",
        variables=[devices_variable("meter", "Meter", *METERS)],
    )  # fmt: skip


def _quarter() -> Panel:
    about = "Highest mean power over a quarter of an hour since midnight, all chosen meters together."
    quarters = total("window", "power", "time(15m)", ONLY)
    query = Query(f'SELECT max("v") AS "peak" FROM ({quarters}) WHERE $timeFilter', "peak")
    return number("Highest quarter today", about, query, "W", time_from="now/d", decimals=2)


def _peak() -> Panel:
    about = "Highest quarter of an hour of all meters this month (LOCAL:E:PEAK). When it was is in its notes on KPIs."
    where = kpi("LOCAL:E:PEAK", "month")
    query = Query(select('last("value") * 1000 AS "peak"', "kpi", where), "peak")
    return number("Peak this month", about, query, "W", decimals=2, to="kpis&var-code=LOCAL:E:PEAK&var-period=month")


def _left() -> Panel:
    about = (
        "What is left between this month's peak and the contracted power (the target of LOCAL:E:PEAK in the city file)."
    )
    where = kpi("LOCAL:E:PEAK", "month")
    query = Query(select('(last("target") - last("value")) * 1000 AS "left"', "kpi", where), "left")
    return number("Left to the contract", about, query, "W", steps=((-1e12, RED), (0, ORANGE), (200_000, GREEN)), decimals=1,
                  no_value="no contract")  # fmt: skip


def _energy(time: str, by: str = "") -> str:
    """Energy by interval: steps of registers and energy of intervals, two kinds of meters side by side."""
    group = ", ".join(filter(None, (time, '"device"', by)))
    where = [CITY, TAKEN, ONLY, "$timeFilter"]
    register = select(
        'non_negative_difference(last("last")) AS "e"', "hour", [*where, is_quantity("energy_total")], (group,), "none"
    )
    interval = select('sum("sum") AS "e"', "hour", [*where, is_quantity("energy_delta")], (group,), "none")
    zone = " tz('$tz')"
    return f"({register}{zone}), ({interval}{zone})"


def _today() -> Panel:
    about = "Energy since midnight of the chosen meters: steps of registers, and energy of intervals."
    first = select(
        'first("increase") AS "e"',
        "hour",
        [CITY, TAKEN, ONLY, is_quantity("energy_total"), "$timeFilter"],
        ('"device"',),
    )
    query = Query(f'SELECT sum("e") AS "today" FROM {_energy("time(1h)")}, ({first}) WHERE $timeFilter', "today")
    return number("Energy today", about, query, "kWh", time_from="now/d", decimals=1)


def _reporting() -> Panel:
    about = "Electricity meters that were heard within three of their intervals, of all that are registered."
    heard = f'SELECT count("silent") AS "now" FROM "device" WHERE {CITY} AND "kind" = \'electricity_meter\' AND "silent" = 0 AND "heard" > 0'
    known = f'SELECT count("registered") AS "of" FROM "device" WHERE {CITY} AND "kind" = \'electricity_meter\' AND "registered" = 1'
    shown = [Shown("of", colour=GREY)]
    return number("Meters reporting", about, [Query(heard, "now"), Query(known, "of")], "", size=26, named=True, shown=shown,
                  to="fleet", decimals=0)  # fmt: skip


def _top() -> Panel:
    about = "Energy of 24 hours by site, the ten highest."
    each = f'SELECT sum("e") AS "kWh" FROM {_energy("time(1h)", chr(34) + "site" + chr(34))} WHERE $timeFilter GROUP BY "site"'
    query = Query(f'SELECT top("kWh", "site", 10) AS "kWh" FROM ({each})', table=True)
    columns = [
        Column("site", "Site", 190),
        Column("kWh", "Energy", 0, "bar", unit="kWh", decimals=1, steps=((0, BLUE),)),
    ]
    return listing("Ten sites that used most, 24 hours", about, query, columns, sort="Energy", time_from="24h")


def _hours() -> Panel:
    about = "Power of the chosen meters together in every hour: one column a day, one line an hour of the city's clock."
    hourly = total("hour", "power", "time(1h)", ONLY).replace('sum("m") AS "v"', 'sum("m") / 1000 AS "v"')
    return grid(
        "Power by hour of day, two weeks, kW",
        about,
        by_hour_of_day(hourly),
        "",
        time_from="14d",
        interval="1d",
        decimals=0,
    )


def _days() -> Panel:
    about = (
        "Energy of each day of the city's clock; today so far. A day on which meters were missing is short: see Gaps."
    )
    query = f'SELECT sum("e") AS "kWh" FROM {_energy("time(1d)")} WHERE $timeFilter GROUP BY time(1d) fill(none) tz(\'$tz\')'
    return curves("Energy by day, five weeks", about, [Query(query, "energy")], "kWh", bars=True, legend="none", time_from="35d",
                  lines=[Line("energy", BLUE)], interval="1d", decimals=1)  # fmt: skip


def _gaps() -> Panel:
    about = "Hours with data of each meter in the last seven days, of 168; the fewest first. Flagged: readings that failed quality control."
    where = [CITY, ONLY, is_quantity("energy_total", "energy_delta"), "$timeFilter"]
    fields = 'count("n") AS "hours", max("last_t") AS "heard", sum("flagged") AS "flagged"'
    query = Query(select(fields, "hour", where, ('"device"', '"site"')), table=True)
    columns = [
        Column("device", "Meter", 100, to="energy&var-meter=${__value.text}"),
        Column("site", "Site"),
        Column("hours", "Hours", 190, "bar", decimals=0, most=168, steps=((0, RED), (126, ORANGE), (160, GREEN))),
        Column("heard", "Heard", 138, "ago"),
        Column("flagged", "Flagged", 80, "coloured", decimals=0, steps=((0, GREY), (1, ORANGE))),
    ]
    return listing(
        "Gaps: hours with data, of 168", about, query, columns, sort="Hours", descending=False, time_from="7d"
    )


def _months() -> Panel:
    about = "Metered electricity of each month (LOCAL:E:METERED), and the coverage of that number on the right."
    where = all_of(*kpi("LOCAL:E:METERED", "month"), "$timeFilter")
    queries = [
        Query(f'SELECT "value" AS "metered" FROM "kpi" WHERE {where}', "metered"),
        Query(f'SELECT "coverage" FROM "kpi" WHERE {where}', "coverage"),
    ]
    lines = [Line("metered", BLUE), Line("coverage", ORANGE, 2, 0, right="share", line=True)]
    return curves(
        "Metered electricity by month, and how complete",
        about,
        queries,
        "kWh",
        bars=True,
        lines=lines,
        time_from="1y",
        decimals=1,
    )
