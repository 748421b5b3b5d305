"""EV charging: the indicators, sessions and energy by charger, and what every connector does now."""

from __future__ import annotations

from grafana_foundation_sdk.models.dashboard import Dashboard

from grafana.frame import AnyPanel, Line, Row, board
from grafana.indicators import derived_from, indicator
from grafana.influx import TAKEN, Query, fold, where
from grafana.panels import bars, chart, listing, states

STATES = {"0": "free", "1": "connected", "2": "charging", "3": "fault"}


def build() -> Dashboard:
    """The dashboard."""
    rows = [
        *(indicator(kpi) for kpi in derived_from(("ev_charger",))),
        Row("Charging", [Line([_energy(), _sessions()]), Line([_per_session(), _connected()])]),
        Row("Chargers", [Line([_chargers(), _states()], height=10)]),
    ]
    about = "Energy, sessions and use of the city's chargers. A session counts whole where it began."
    return board("ev", "EV charging", about, rows, since="now-30d", period=True)


def _energy() -> AnyPanel:
    return bars(
        "Energy of sessions by charger", [Query(fold('sum("sum")', "hour", "session_energy"), "$tag_device")], "kWh"
    )


def _sessions() -> AnyPanel:
    return bars("Sessions by charger", [Query(fold('sum("n")', "hour", "session_energy"), "$tag_device")], "count")


def _per_session() -> AnyPanel:
    query = fold('sum("sum") / sum("n")', "hour", "session_energy", by="")
    return chart("Energy per session", [Query(query, "mean")], "kWh", smallest="1h")


def _connected() -> AnyPanel:
    return bars("Time connected", [Query(fold('sum("sum")', "hour", "connected_time"), "$tag_device")], "s")


def _chargers() -> AnyPanel:
    query = (
        'SELECT sum("n") AS "sessions", sum("sum") AS "kWh", sum("sum") / sum("n") AS "kWh per session" FROM "hour"'
        f' WHERE {where("session_energy")} AND {TAKEN} GROUP BY "device"'
    )
    return listing("Chargers", Query(query, table=True))


def _states() -> AnyPanel:
    return states("Connectors", Query(fold('last("last")', "window", "connector_state"), "$tag_device"), STATES)
