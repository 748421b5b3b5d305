"""Pipeline health: what gateways take and refuse, what waits, which devices fell silent, how full the nodes are."""

from __future__ import annotations

from grafana_foundation_sdk.models.dashboard import Dashboard

from grafana.frame import AnyPanel, Line, Row, board
from grafana.influx import TAKEN, Query, fold
from grafana.panels import bars, chart, listing
from telemetry.quantities import QUANTITIES

COUNTERS = ("gw_received", "gw_stored", "gw_duplicate", "gw_rejected", "gw_flagged")
NODE = ("ring_fill", "rssi", "heap_free", "uptime")


def build() -> Dashboard:
    """The dashboard."""
    rows = [
        Row("Gateways", [Line([_counted()]), Line([_gauge("gw_dirty"), _gauge("gw_lag")])]),
        Row("Readings", [Line([_readings(), _refused(), _late()])]),
        Row("Devices", [Line([_devices()], height=10)]),
        Row("Nodes", [Line([_gauge(quantity) for quantity in NODE[i : i + 2]]) for i in (0, 2)]),
    ]
    about = "Whether every reading arrives: what is refused, what waits, and who has fallen silent."
    return board("pipeline", "Pipeline health", about, rows, since="now-24h", period=False)


def _counted() -> AnyPanel:
    queries = [
        Query(
            fold('non_negative_difference(last("last"))', "window", quantity),
            f"{QUANTITIES[quantity].title}, $tag_device",
        )
        for quantity in COUNTERS
    ]
    return chart("Messages and readings in every interval", queries, "count")


def _gauge(quantity: str) -> AnyPanel:
    known = QUANTITIES[quantity]
    return chart(known.title, [Query(fold('max("max")', "window", quantity), "$tag_device")], known.unit)


def _all(expression: str, by: str = "") -> str:
    group = f", {by}" if by else ""
    condition = '"city" = \'$city\' AND "quantity" !~ /^gw_/ AND $timeFilter'
    return f'SELECT {expression} FROM "window" WHERE {condition} GROUP BY time($__interval){group} fill(none)'


def _readings() -> AnyPanel:
    return bars("Readings stored", [Query(_all('sum("n")'), "readings")], "count", smallest="1m")


def _refused() -> AnyPanel:
    query = Query(_all('sum("flagged")', '"quantity"'), "$tag_quantity")
    return bars("Readings refused by quality control", [query], "count", smallest="1m")


def _late() -> AnyPanel:
    panel = chart("Largest delay of a reading", [Query(_all('max("lag")', '"quantity"'), "$tag_quantity")], "ms")
    return panel.description("Time from the reading to its arrival; an outage that was made up for stays visible here.")


def _devices() -> AnyPanel:
    query = (
        'SELECT last("n") AS "readings in it" FROM "window"'
        f' WHERE "city" = \'$city\' AND {TAKEN} AND $timeFilter GROUP BY "device", "quantity"'
    )
    return listing("Last window of every series", Query(query, table=True))
