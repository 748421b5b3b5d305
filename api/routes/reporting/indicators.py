"""/v1/cities/{city}/indicators: the 91 KPIs of a period, with origin, target and the reason for a missing one."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from adapters.store import CityRecord
from api.model import Indicators
from api.problems import responses
from api.queries import YEARS, model_of, recent_years, standing_year, zone_of
from api.state import CityOf, State, StateOf
from api.tables import FILES, Form, as_file
from reporting.figures.figures import figures
from reporting.indicators import Indicator, indicators, newest_indicators, summary
from telemetry.errors import UsageError
from telemetry.kpi_value import KpiQuery, KpiValue
from telemetry.periods import ROLLING, Period, parse_period

router = APIRouter(prefix="/v1/cities/{city}", tags=["KPI values"])
NEWEST = "newest"


class IndicatorsQuery(BaseModel):
    """The selected period."""

    model_config = ConfigDict(extra="forbid")

    period: str | None = Field(
        None,
        description="2018, 2018-Q3, 2018-07 or 2018-07-01; default: the newest year with figures. `newest`: of each"
        " data point the newest year that has a value",
    )
    format: Form = Field("json", description="csv or xlsx: the same as a file")


_FILE = tuple(Indicator.__struct_fields__)


@router.get("/indicators", response_model=Indicators, responses={**FILES, **responses(404, 422, 503)})
def city_indicators(
    record: CityOf, state: StateOf, query: Annotated[IndicatorsQuery, Query()]
) -> dict[str, Any] | Response:
    """Every data point of the 91 KPIs. A year without any value is answered too: with 91 reasons."""
    label, found = _found(record, state, query.period)
    rows = [msgspec.to_builtins(i) for i in found]
    if query.format != "json":
        return as_file(rows, _FILE, query.format, f"{record.id}-indicators-{label}")
    last = max((int(i.period[:4]) for i in found if i.period), default=0) if label == NEWEST else int(label[:4])
    past = _past(record, state, last)
    for row in rows:
        row["history"] = past.get((row["code"], row["part"]), [])
    return {
        "city": record.id, "period": label, "summary": msgspec.to_builtins(summary(found)), "indicators": rows,
    }  # fmt: skip


def _found(record: CityRecord, state: State, wanted: str | None) -> tuple[str, list[Indicator]]:
    """The period's label and the data points. Raises UsageError."""
    city = model_of(record)
    if wanted == NEWEST:
        return NEWEST, newest_indicators(city, recent_years(state.store, record.id))
    period = _period(record, state, wanted)
    values = [row.kpi for row in state.store.kpis(KpiQuery.of_period(record.id, period))]
    return period.label, indicators(city, figures(values))


def _period(record: CityRecord, state: State, label: str | None) -> Period:
    if label in ROLLING:
        raise UsageError("The 91 KPIs are shown for calendar periods: 2018, 2018-Q3, 2018-07 or 2018-07-01.")
    zone = zone_of(record)
    return standing_year(state.store, record.id, zone, state.clock()) if label is None else parse_period(label, zone)


def _past(record: CityRecord, state: State, last: int) -> dict[tuple[str, str], list[tuple[int, float | None]]]:
    """The values that counted in the last five years, oldest first, by data point."""
    years: dict[int, list[KpiValue]] = {}
    for row in state.store.kpis(KpiQuery(record.id, ["year"])):
        if last - YEARS < int(row.kpi.period) <= last:
            years.setdefault(int(row.kpi.period), []).append(row.kpi)
    found: dict[tuple[str, str], list[tuple[int, float | None]]] = {}
    for year, values in sorted(years.items()):
        for f in figures(values):
            found.setdefault((f.code, f.part), []).append((year, f.value))
    return found
