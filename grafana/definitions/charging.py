"""Charging: can people charge, and what has been broken since when?"""

from __future__ import annotations

from typing import Any

from grafana.colours import BLUE, CONNECTOR, CONNECTOR_WORDS, GREEN, GREY, ORANGE, RED, VIOLET
from grafana.frame import Row, dashboard, devices_variable
from grafana.influx import CITY, TAKEN, Query, all_of, by_hour_of_day, chosen, is_quantity, select
from grafana.panels import Line, Panel, curves, grid, number, states
from grafana.shared.charging import CHARGING, by_state, newest_states
from grafana.tables import Column, listing

ONLY = chosen("charger")
SESSIONS = [CITY, is_quantity("session_energy"), TAKEN, ONLY, "$timeFilter"]


def build() -> dict[str, Any]:
    """The dashboard."""
    numbers = [
        (4, _count("Charging", "charging", GREEN, "Connectors that charge now.")),
        (4, _count("Only connected", "connected", BLUE, "Connectors with a vehicle that does not charge now.")),
        (4, _count("Free", "free", GREY, "Connectors without a vehicle now.")),
        (4, _faults()),
        (4, _sessions()),
        (4, _energy()),
    ]
    rows = [
        Row(4, numbers),
        Row(11, [(11, _connectors()), (13, _over_time())]),
        Row(9, [(12, by_state("Connectors by state", ONLY)), (12, _hours())]),
        Row(9, [(12, _days()), (12, _chargers())]),
    ]
    question = "Can people charge, and what has been broken since when?"
    variables = [devices_variable("charger", "Charger", "connector_state", "session_energy")]
    return dashboard("charging", "Charging", question, rows, since="now-24h", variables=variables)


def _now(state: str) -> Query:
    return Query(
        f'SELECT last("{state}") AS "n" FROM "state" WHERE {CITY} AND time > now() - 10m AND time <= now()', state
    )


def _count(title: str, state: str, colour: str, about: str) -> Panel:
    steps = ((0, GREY), (1, colour))
    return number(
        title,
        f"{about} Silent chargers are not counted.",
        _now(state),
        "",
        steps=steps,
        size=34,
        decimals=0,
        no_value="unknown",
    )


def _faults() -> Panel:
    return number("In fault", "Connectors whose last state is fault.", _now("fault"), "", steps=((0, GREEN), (1, RED)), size=34,
                  decimals=0, no_value="unknown")  # fmt: skip


def _sessions() -> Panel:
    about = "Sessions that began today and have ended; a session counts where it began."
    return number("Sessions today", about, Query(select('sum("n") AS "n"', "hour", SESSIONS), "sessions"), "", time_from="now/d",
                  size=34, decimals=0, no_value="none yet")  # fmt: skip


def _energy() -> Panel:
    about = "Energy of the sessions that began today and have ended."
    return number("Energy today", about, Query(select('sum("sum") AS "kWh"', "hour", SESSIONS), "energy"), "kWh", time_from="now/d",
                  size=30, decimals=0, no_value="none yet")  # fmt: skip


def _connectors() -> Panel:
    about = "Newest state of every charger, the broken ones first, and since when; silent ones show the last state that was heard."
    where = all_of(CITY, ONLY, "\"kind\" = 'ev_charger'")
    fields = '"connector_state", "site", "silent", "state_since", "heard"'
    query = Query(f'SELECT {fields} FROM "device" WHERE {where} GROUP BY "device"', table=True)
    columns = [
        Column("connector_state", "State", 95, "badge", steps=CONNECTOR, words=CONNECTOR_WORDS, no_value="unknown"),
        Column(
            "silent",
            "Contact",
            75,
            "coloured",
            words={0: ("heard", GREY), 1: ("silent", VIOLET)},
            steps=((0, GREY), (1, VIOLET)),
        ),
        Column("device", "Charger", 105, to="charging&var-charger=${__value.text}"),
        Column("site", "Site"),
        Column("state_since", "In this state since", 140, "ago"),
        Column("heard", "Heard", 138, "ago", no_value="never"),
    ]
    return listing("Connectors now, broken ones first", about, query, columns, sort="State")


def _over_time() -> Panel:
    about = "Last state of every charger in every five minutes. Empty: nothing was heard."
    where = all_of(CITY, is_quantity("connector_state"), TAKEN, ONLY, "$timeFilter")
    query = f'SELECT last("last") AS "s" FROM "window" WHERE {where} GROUP BY time($__interval), "device" fill(null)'
    return states("Connectors over time", about, Query(query, "$tag_device"), CONNECTOR_WORDS, CONNECTOR)


def _hours() -> Panel:
    about = "Share of the heard connectors that charge, by hour of the city's clock: one column a day."
    share = (
        f'SELECT sum("a") / count("a") + 0.0001 AS "v" FROM (SELECT {CHARGING} AS "a" FROM ({newest_states("time(1h)", ONLY)}))'
        " WHERE $timeFilter GROUP BY time(1h) fill(none)"
    )
    return grid("Share charging by hour of day, four weeks", about, by_hour_of_day(share), "share", time_from="28d", interval="1d",
                least=0, most=1, decimals=0)  # fmt: skip


def _days() -> Panel:
    about = "Energy of the sessions that began on each day of the city's clock, and their number on the right."
    by = ("time(1d)",)
    queries = [
        Query(select('sum("sum") AS "energy"', "hour", SESSIONS, by, "none") + " tz('$tz')", "energy"),
        Query(select('sum("n") AS "sessions"', "hour", SESSIONS, by, "none") + " tz('$tz')", "sessions"),
    ]
    lines = [Line("energy", BLUE), Line("sessions", ORANGE, 2, 0, right="count", line=True)]
    return curves(
        "Energy and sessions by day, five weeks",
        about,
        queries,
        "kWh",
        bars=True,
        lines=lines,
        time_from="35d",
        interval="1d",
        decimals=0,
    )


def _chargers() -> Panel:
    about = "Sessions and energy of 30 days by charger. One with few sessions beside busy ones may be broken without saying so."
    fields = 'sum("n") AS "sessions", sum("sum") AS "kWh", sum("sum") / sum("n") AS "each"'
    query = Query(select(fields, "hour", SESSIONS, ('"device"', '"site"')), table=True)
    columns = [
        Column("device", "Charger", 110, to="charging&var-charger=${__value.text}"),
        Column("site", "Site"),
        Column("sessions", "Sessions", 90, decimals=0),
        Column("kWh", "Energy", 190, "bar", unit="kWh", decimals=1, steps=((0, BLUE),)),
        Column("each", "Per session", 100, unit="kWh", decimals=1),
    ]
    return listing("Chargers, 30 days", about, query, columns, sort="Energy", time_from="30d")
