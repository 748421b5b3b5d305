"""InfluxQL queries on what CityVitals stores, and the shape in which Grafana wants them.

Dashboard variables (`$city`, `$period`) and Grafana's own (`$timeFilter`, `$__interval`) stay in the text. Means are
`sum / n` over windows, never means of means, and registers are differences of their last values, so that an interval
of any length gives what one fold over its readings would.
"""

from __future__ import annotations

from grafana_foundation_sdk.cog import variants
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.dashboard import DataSourceRef

DATASOURCE = DataSourceRef(type_val="influxdb", uid="${datasource}")


class InfluxQuery(variants.Dataquery):
    """One query of a panel. `alias` names the lines; a table keeps the columns as they come."""

    def __init__(self, text: str, alias: str = "", table: bool = False) -> None:
        self.text, self.alias, self.table = text, alias, table
        self.ref_id = "A"

    def to_json(self) -> dict[str, object]:
        """What Grafana's InfluxDB data source reads."""
        return {
            "refId": self.ref_id,
            "datasource": DATASOURCE,
            "rawQuery": True,
            "query": self.text,
            "resultFormat": "table" if self.table else "time_series",
            "alias": self.alias,
        }


class Query(Builder[InfluxQuery]):
    """The builder panels ask for."""

    def __init__(self, text: str, alias: str = "", table: bool = False) -> None:
        self._query = InfluxQuery(text, alias, table)

    def build(self) -> InfluxQuery:
        """The query."""
        return self._query


# InfluxDB keeps the old value in a field that a later write leaves out. So a row says itself whether what it holds
# counts: `valued` for a KPI, `n` for a window.
VALUED = '"valued" = 1'
TAKEN = '"n" > 0'


def kpi_history(code: str, part: str, period: str) -> str:
    """Every value of one KPI (part) for one kind of period, with its coverage, whatever the dashboard's time range."""
    return (
        f'SELECT "value", "coverage" FROM "kpi" WHERE "city" = \'$city\' AND "code" = \'{code}\''
        f" AND \"part\" = '{part or '-'}' AND \"period\" = '{period}' AND {VALUED}"
    )


def kpi_trend(code: str) -> str:
    """The values of all parts of a KPI over the dashboard's time range, for the chosen kind of period."""
    return (
        f'SELECT "value" FROM "kpi" WHERE "city" = \'$city\' AND "code" = \'{code}\''
        f' AND "period" = \'$period\' AND {VALUED} AND $timeFilter GROUP BY "part"'
    )


def coverage() -> str:
    """The coverage of every KPI (part), also where it was too small for a value."""
    return (
        'SELECT "coverage" FROM "kpi" WHERE "city" = \'$city\''
        ' AND "period" = \'$period\' AND $timeFilter GROUP BY "code", "part"'
    )


def kpi_rows(fields: str, valued: bool) -> str:
    """The latest twelve periods of every KPI (part), those with a value or those without."""
    return (
        f'SELECT {fields} FROM "kpi" WHERE "city" = \'$city\' AND "period" = \'$period\' AND "valued" = {int(valued)}'
        ' AND $timeFilter GROUP BY "code", "part" ORDER BY time DESC LIMIT 12'
    )


def where(quantity: str) -> str:
    """The condition for one quantity of the city in the dashboard's time range."""
    return f"\"city\" = '$city' AND \"quantity\" = '{quantity}' AND $timeFilter"


def fold(expression: str, level: str, quantity: str, by: str = '"device"', only: str = TAKEN) -> str:
    """`expression` over the stored windows of a quantity, for every interval of the chart and each of `by`."""
    group = ", ".join(filter(None, ("time($__interval)", by)))
    condition = " AND ".join(filter(None, (where(quantity), only)))
    return f'SELECT {expression} FROM "{level}" WHERE {condition} GROUP BY {group} fill(none)'


def mean(level: str, quantity: str) -> str:
    """Mean of the readings of every device."""
    return fold('sum("sum") / sum("n")', level, quantity)


def register_steps(level: str, quantity: str) -> str:
    """How far the registers of all devices together moved on in every interval of the chart."""
    steps = fold('non_negative_difference(last("last")) AS "step"', level, quantity)
    return f'SELECT sum("step") FROM ({steps}) WHERE $timeFilter GROUP BY time($__interval) fill(none)'
