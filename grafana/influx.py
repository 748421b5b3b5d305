"""InfluxQL on what CityVitals stores, and the shape that Grafana expects.

Rules that every query keeps, so that an interval of any length gives what one fold over its readings would:
means are `sum / n` over windows, never means of means; registers are differences of their last values; only rows that
are marked as counting are read (`n > 0` of windows, `valued = 1` of KPI values), because InfluxDB keeps the old value of a
field that a later write leaves out. Conditions put variables in by `:singlequote` and `:regex`, which escape them.

Grafana's own variables (`$timeFilter`, `$__interval`) and the dashboard's (`$city`, `$tz` ...) stay in the text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from grafana import DATASOURCE_UID

DATASOURCE = {"type": "influxdb", "uid": "${datasource}"}
FIXED_DATASOURCE = {"type": "influxdb", "uid": DATASOURCE_UID}

CITY = '"city" = ${city:singlequote}'
TAKEN = '"n" > 0'
PAST = "time <= now()"  # without a time range of its own: a clock that was ahead may have left rows of the future
VALUED = f'"valued" = 1 AND {PAST}'
# A device's own readings: not what gateways count about it.
READINGS = '"quantity" !~ /^(gw|ledger)_/'


class Query(NamedTuple):
    """One query of a panel: `alias` names its lines; `table` keeps the columns as they come."""

    text: str
    alias: str = ""
    table: bool = False


def target(query: Query, letter: str) -> dict[str, Any]:
    """The query as Grafana's InfluxDB data source reads it."""
    return {
        "refId": letter,
        "datasource": DATASOURCE,
        "rawQuery": True,
        "query": query.text,
        "resultFormat": "table" if query.table else "time_series",
        "alias": query.alias,
    }


def all_of(*conditions: str) -> str:
    """Conditions that all hold; empty ones are left out."""
    return " AND ".join(filter(None, conditions))


def is_quantity(*names: str) -> str:
    """The condition for one or several quantities."""
    return f"\"quantity\" = '{names[0]}'" if len(names) == 1 else f'"quantity" =~ /^({"|".join(names)})$/'


def chosen(variable: str) -> str:
    """The condition for the devices chosen in a variable with several values."""
    return f'"device" =~ /^${{{variable}:regex}}$/'


def select(expression: str, source: str, where: Sequence[str], by: Sequence[str] = (), fill: str = "") -> str:
    """A SELECT; `source`: a measurement or subqueries in parentheses."""
    table = source if source.startswith("(") else f'"{source}"'
    group = f" GROUP BY {', '.join(by)}" if by else ""
    return f"SELECT {expression} FROM {table} WHERE {all_of(*where)}{group}{f' fill({fill})' if fill else ''}"


def mean(level: str, quantity: str, by: Sequence[str], *where: str, fill: str = "none") -> str:
    """Mean of the readings: `sum / n`."""
    return select(
        'sum("sum") / sum("n") AS "m"', level, [CITY, is_quantity(quantity), TAKEN, *where, "$timeFilter"], by, fill
    )


def total(level: str, quantity: str, time: str, *where: str) -> str:
    """The sum over devices of each device's mean, by intervals `time`: power of all meters together."""
    each = mean(level, quantity, (time, '"device"'), *where)
    return f'SELECT sum("m") AS "v" FROM ({each}) WHERE $timeFilter GROUP BY {time} fill(none)'


def steps(quantity: str, time: str, *where: str, level: str = "window") -> str:
    """How far the counters of all devices moved on in every interval `time`."""
    by = (time, '"device"')
    conditions = [CITY, is_quantity(quantity), TAKEN, *where, "$timeFilter"]
    each = select('non_negative_difference(last("last")) AS "d"', level, conditions, by, "none")
    return f'SELECT sum("d") AS "d" FROM ({each}) WHERE $timeFilter GROUP BY {time} fill(none)'


def kpi(code: str, period: str, *where: str) -> list[str]:
    """The conditions for the values of a KPI for one kind of period."""
    return [CITY, f"\"code\" = '{code}'", f"\"period\" = '{period}'", VALUED, *where]


def shifted(query: str, hours: int, name: str) -> str:
    """The hourly curve of `query` (a field "v") as it was `hours` ago, drawn at the time of today.

    InfluxQL has no time shift. The value n steps ago is (n+1) * moving_average(n+1) - n * moving_average(n).
    """
    span = f"time > ${{__from}}ms - {hours // 24 + 1}d AND time < ${{__to}}ms"
    filled = (
        f'SELECT sum("v") AS "v" FROM ({query.replace("$timeFilter", span)}) WHERE {span} GROUP BY time(1h) fill(0)'
    )
    more = f'SELECT {hours + 1} * moving_average("v", {hours + 1}) AS "a" FROM ({filled})'
    less = f'SELECT {hours} * moving_average("v", {hours}) AS "b" FROM ({filled})'
    moved = f'SELECT sum("a") - sum("b") AS "y" FROM ({more}), ({less}) WHERE {span} GROUP BY time(1h) fill(none)'
    return f'SELECT "y" AS "{name}" FROM ({moved}) WHERE "y" > 0.001'


def by_hour_of_day(query: str) -> list[Query]:
    """24 queries: the hourly values of `query` (a field "v") as one line for every hour of the city's day.

    Days that begin at hour h, of which the first hour is taken; then all on midnight, so that they share one time.
    `fill(-1)` stands outside of any division in `query`: a missing hour would be -1 / -1 = 1.
    """
    filled = f'SELECT max("v") AS "v" FROM ({query}) WHERE $timeFilter GROUP BY time(1h) fill(-1)'
    return [
        Query(
            'SELECT max("v") AS "v" FROM (SELECT "v" FROM (SELECT first("v") AS "v" FROM'
            f" ({filled}) WHERE $timeFilter GROUP BY time(1d, {hour}h) tz('$tz'))"
            " WHERE \"v\" >= 0 AND $timeFilter) WHERE $timeFilter GROUP BY time(1d) fill(none) tz('$tz')",
            f"{hour:02}",
        )
        for hour in range(24)
    ]


def calendar(query: str) -> list[Query]:
    """Seven queries: the daily values of `query` (a field "v", fill(-1)) as one line for every day of the week.

    Weeks of InfluxDB begin on Thursdays, so Monday is 4 days on. Sunday comes first, because that puts Monday on top.
    """
    days = (("Sun", 3), ("Sat", 2), ("Fri", 1), ("Thu", 0), ("Wed", 6), ("Tue", 5), ("Mon", 4))
    return [
        Query(
            f'SELECT max("v") AS "v" FROM (SELECT "v" FROM (SELECT first("v") AS "v" FROM ({query})'
            f" WHERE $timeFilter GROUP BY time(7d, {offset}d) tz('$tz')) WHERE \"v\" > 0)"
            " WHERE $timeFilter GROUP BY time(7d, 4d) fill(none) tz('$tz')",
            name,
        )
        for name, offset in days
    ]
