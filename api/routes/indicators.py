"""/v1/cities/{city}/indicators: the 91 KPIs of a period, with origin, target and the reason for a missing one."""

from __future__ import annotations

from typing import Annotated, Any
from zoneinfo import ZoneInfo

import msgspec
from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from adapters.store import CityRecord
from api.model import Indicators
from api.problems import responses
from api.queries import newest, zone_of
from api.state import CityOf, State, StateOf
from registry.city import City
from reporting.indicators import indicators, summary
from telemetry.errors import UsageError
from telemetry.kpi_value import KpiQuery
from telemetry.periods import CALENDAR, ROLLING, Period, calendar_period, local_date, parse_period

router = APIRouter(prefix="/v1/cities/{city}", tags=["KPI values"])


class IndicatorsQuery(BaseModel):
    """The selected period."""

    model_config = ConfigDict(extra="forbid")

    period: str | None = Field(None, description="2018, 2018-Q3, 2018-07 or 2018-07-01; default: the newest year")


@router.get("/indicators", response_model=Indicators, responses=responses(404, 422, 503))
def city_indicators(record: CityOf, state: StateOf, query: Annotated[IndicatorsQuery, Query()]) -> dict[str, Any]:
    """Every data point of the 91 KPIs. A year without any value is answered too: with 91 reasons."""
    if query.period in ROLLING:
        raise UsageError("The 91 KPIs are shown for calendar periods: 2018, 2018-Q3, 2018-07 or 2018-07-01.")
    zone = zone_of(record)
    if query.period is None:
        labels = [row.kpi.period for row in newest(state.store, record.id, [CALENDAR[0]])]
        period = (
            parse_period(max(labels), zone)
            if labels
            else calendar_period("year", local_date(state.clock(), zone), zone)
        )
    else:
        period = parse_period(query.period, zone)
    values = [row.kpi for row in state.store.kpis(KpiQuery.of_period(record.id, period))]
    found = indicators(City.model_validate(record.config), values)
    return {
        "city": record.id,
        "period": period.label,
        "summary": msgspec.to_builtins(summary(found)),
        "indicators": [msgspec.to_builtins(i) for i in found],
    }


def _newest_year(record: CityRecord, state: State, zone: ZoneInfo) -> Period:
    labels = [row.kpi.period for row in newest(state.store, record.id, [CALENDAR[0]])]
    if labels:
        return parse_period(max(labels), zone)
    return calendar_period("year", local_date(state.clock(), zone), zone)
