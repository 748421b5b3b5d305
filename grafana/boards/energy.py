"""Electricity: the indicators, the energy metered in every interval, and every meter."""

from __future__ import annotations

from grafana_foundation_sdk.models.dashboard import Dashboard

from grafana.frame import AnyPanel, Line, Row, board
from grafana.indicators import derived_from, indicator
from grafana.influx import TAKEN, Query, fold, register_steps, where
from grafana.panels import bars, chart, listing


def build() -> Dashboard:
    """The dashboard."""
    rows = [
        *(indicator(kpi) for kpi in derived_from(("electricity_meter",))),
        Row("The city", [Line([_metered(), _power()])]),
        Row("Meters", [Line([_by_interval(), _by_register()]), Line([_reporting(), _voltage()])]),
    ]
    about = "Metered electricity of the city. Meters send either energy per interval or a running register."
    return board("energy", "Energy", about, rows, since="now-7d", period=True)


def _metered() -> AnyPanel:
    queries = [
        Query(fold('sum("sum")', "hour", "energy_delta", by=""), "meters that send intervals"),
        Query(register_steps("hour", "energy_total"), "meters that send a register"),
    ]
    return bars("Energy metered", queries, "kWh")


def _power() -> AnyPanel:
    each = fold('sum("sum") / sum("n") AS "mean"', "window", "power")
    query = f'SELECT sum("mean") FROM ({each}) WHERE $timeFilter GROUP BY time($__interval) fill(none)'
    return chart("Power of all meters that report it", [Query(query, "power")], "W")


def _by_interval() -> AnyPanel:
    query = f'SELECT sum("sum") AS "kWh" FROM "hour" WHERE {where("energy_delta")} AND {TAKEN} GROUP BY "device"'
    return listing("Energy by meter (intervals)", Query(query, table=True))


def _by_register() -> AnyPanel:
    condition = f"{where('energy_total')} AND {TAKEN}"
    steps = f'SELECT non_negative_difference("last") AS "step" FROM "hour" WHERE {condition} GROUP BY "device"'
    query = f'SELECT sum("step") AS "kWh" FROM ({steps}) WHERE $timeFilter GROUP BY "device"'
    return listing("Energy by meter (registers)", Query(query, table=True))


def _reporting() -> AnyPanel:
    either = "(\"quantity\" = 'energy_delta' OR \"quantity\" = 'energy_total')"
    condition = f"\"city\" = '$city' AND {either} AND {TAKEN} AND $timeFilter"
    each = f'SELECT last("n") AS "n" FROM "hour" WHERE {condition} GROUP BY time($__interval), "device" fill(none)'
    query = f'SELECT count("n") FROM ({each}) WHERE $timeFilter GROUP BY time($__interval) fill(none)'
    return chart("Meters that reported", [Query(query, "meters")], "count", smallest="1h")


def _voltage() -> AnyPanel:
    queries = [
        Query(fold('min("min")', "hour", "voltage", by=""), "lowest"),
        Query(fold('max("max")', "hour", "voltage", by=""), "highest"),
    ]
    return chart("Voltage, lowest and highest of all meters", queries, "V", smallest="1h")
