"""/v1/cities/{city}/sdg: a city's figures by Sustainable Development Goal."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from api.problems import responses
from api.queries import model_of, zone_of
from api.state import CityOf, StateOf
from reporting.figures.figures import figures
from reporting.targets import score, stored_targets
from telemetry.kpi_value import KpiQuery
from telemetry.periods import parse_period

router = APIRouter(prefix="/v1/cities/{city}", tags=["KPI values"])


class SdgQuery(BaseModel):
    """The selected period."""

    model_config = ConfigDict(extra="forbid")

    period: str = Field(description="2018, 2018-Q3, 2018-07 or 2018-07-01")


class SdgGoal(BaseModel):
    """One goal."""

    number: int
    name: str
    kpis: list[str]
    figures: int
    with_value: int
    scored: int
    score: float | None = Field(description="Mean performance, 0 to 1; null with fewer than two scored figures.")
    missing: list[str]
    why: str


class Sdg(BaseModel):
    """All 17 goals."""

    city: str
    period: str
    goals: list[SdgGoal]


@router.get("/sdg", response_model=Sdg, responses=responses(404, 422, 503))
def city_sdg(record: CityOf, state: StateOf, query: Annotated[SdgQuery, Query()]) -> dict[str, Any]:
    """KPIs by goal; a KPI may serve several."""
    from reporting.sdg.view import goal_views  # noqa: PLC0415 - imported with the first request for it

    period = parse_period(query.period, zone_of(record))
    found = figures(row.kpi for row in state.store.kpis(KpiQuery.of_period(record.id, period)))
    views = goal_views(found, score(found, stored_targets(model_of(record))))
    return {"city": record.id, "period": period.label, "goals": [msgspec.to_builtins(v) for v in views]}
