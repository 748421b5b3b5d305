"""Queries and panels about chargers that several dashboards show.

Connector states are 0 free, 1 connected, 2 charging, 3 fault. A count is 0 where none is in that state, so it is a sum of
indicators: polynomials of the state that are 1 for one of the four and 0 for the others.
"""

from __future__ import annotations

from typing import Any

from grafana.colours import BLUE, GREEN, RED
from grafana.influx import CITY, TAKEN, Query, all_of, is_quantity
from grafana.panels import Line, curves

FREE = '(1 - "s") * (2 - "s") * (3 - "s") / 6'
CONNECTED = '"s" * ("s" - 2) * ("s" - 3) / 2'
CHARGING = '"s" * ("s" - 1) * (3 - "s") / 2'
FAULT = '"s" * ("s" - 1) * ("s" - 2) / 6'


def newest_states(time: str, only: str = "") -> str:
    """The last state "s" of every connector in every interval."""
    where = all_of(CITY, is_quantity("connector_state"), TAKEN, only, "$timeFilter")
    return f'SELECT last("last") AS "s" FROM "window" WHERE {where} GROUP BY {time}, "device" fill(none)'


def by_state(title: str, only: str = "", time_from: str = "24h") -> dict[str, Any]:
    """How many connectors charge, are only connected, are in fault."""
    about = "Connectors by their last state in every quarter of an hour; silent ones are in none of the lines."
    query = (
        'SELECT sum("a") AS "charging", sum("b") AS "connected", sum("f") AS "in fault" FROM'
        f' (SELECT {CHARGING} AS "a", {CONNECTED} AS "b", {FAULT} AS "f" FROM ({newest_states("time(15m, now())", only)}))'
        " WHERE $timeFilter GROUP BY time(15m, now()) fill(null)"
    )
    lines = [Line("charging", GREEN, 2, 20), Line("connected", BLUE, 2, 0), Line("in fault", RED, 2, 0)]
    return curves(title, about, [Query(query, "$col")], "", lines=lines, time_from=time_from, stairs=True, decimals=0)
