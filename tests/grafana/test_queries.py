"""Every query of every panel, put to a real InfluxDB as Grafana would put it, brings rows."""

from __future__ import annotations

import json
from typing import Any

import pytest

from grafana.build import FOLDER
from telemetry.periods import CALENDAR
from tests.grafana.sample import CITY, END, START, fill
from tests.servers import InfluxDB

# The indicators of which the sample city has everything: here a query without rows is a fault.
SHOWN = {
    "EN:EN:AQ:1C",
    "EN:E:E:2C",
    "EC:ICT:ES:1C",
    "LOCAL:E:METERED",
    "LOCAL:EV:ENERGY",
    "LOCAL:EV:SESSIONS",
    "LOCAL:EV:UTILISATION",
}


def dashboards() -> dict[str, dict[str, Any]]:
    return {path.stem: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))}


def questions() -> list[Any]:
    return [
        pytest.param(target["query"], id=f"{name}: {panel['title']} {target['refId']}")
        for name, dashboard in dashboards().items()
        for panel in dashboard["panels"]
        for target in panel.get("targets", [])
    ]


def as_grafana_asks(query: str, period: str = "month") -> str:
    """The query with its variables put in, the way Grafana's InfluxDB data source does it."""
    replaced = {
        "$timeFilter": f"time >= {START}ms and time <= {END}ms",
        "$__interval": "1d",
        "$period": period,
        "$city": CITY,
    }
    for name, value in replaced.items():
        query = query.replace(name, value)
    assert "$" not in query, f"an unknown variable is left in: {query}"
    return query


@pytest.fixture(scope="module")
def database(influxdb: InfluxDB, tmp_path_factory: pytest.TempPathFactory) -> str:
    name = influxdb.create("grafana")
    fill(f"influxdb://127.0.0.1:{influxdb.port}/{name}", tmp_path_factory.mktemp("sample"))
    return name


@pytest.mark.parametrize("query", questions())
def test_every_panel_has_something_to_show(influxdb: InfluxDB, database: str, query: str) -> None:
    asked = as_grafana_asks(query)
    rows = influxdb.query(asked, database)
    if not any(f"'{code}'" in asked for code in SHOWN):
        # The sample city may lack what an indicator needs: then the table "No value, and why" has it.
        without = asked.replace('"valued" = 1', '"valued" = 0').replace('"value"', '"coverage"')
        rows = rows or influxdb.query(without, database)
    assert any(value is not None for row in rows for name, value in row.items() if name != "time")


@pytest.mark.parametrize("period", CALENDAR)  # the rolling ones end now, and the sample city's year is over
def test_every_calendar_period_one_can_choose_is_stored(influxdb: InfluxDB, database: str, period: str) -> None:
    query = f'SELECT "coverage" FROM "kpi" WHERE "city" = \'{CITY}\' AND "period" = \'{period}\''
    assert influxdb.query(query, database)


def test_the_city_can_be_chosen(influxdb: InfluxDB, database: str) -> None:
    variables = {v["name"]: v for v in dashboards()["city-kpis"]["templating"]["list"]}
    rows = influxdb.query(variables["city"]["query"], database)
    assert [row["value"] for row in rows] == [CITY]


def test_registers_and_intervals_show_the_energy_that_was_metered(influxdb: InfluxDB, database: str) -> None:
    queries = [
        target["query"]
        for panel in dashboards()["energy"]["panels"]
        if panel["title"] == "Energy metered"
        for target in panel["targets"]
    ]
    totals = [sum(row["sum"] for row in influxdb.query(as_grafana_asks(query), database)) for query in queries]
    # 10, 11, 12, 10 ... kWh an hour; and a register that moves on by 1 kWh an hour, seen from its first day's end.
    assert totals == [pytest.approx(11 * 366 * 24), pytest.approx(365 * 24)]


def test_a_month_without_a_value_is_listed_with_its_reason(influxdb: InfluxDB, database: str) -> None:
    panels = {panel["title"]: panel for panel in dashboards()["city-kpis"]["panels"]}
    query = panels["No value, and why"]["targets"][0]["query"]
    rows = influxdb.query(as_grafana_asks(query), database)
    assert any(row["part"] == "so2" and "capture under 75 %" in row["notes"] for row in rows)
