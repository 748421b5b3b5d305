"""/v1/cities/{city}/sub-dimensions.svg: the snapshot by the 7 sub-dimensions with their 27 category blocks."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from api.problems import responses
from api.queries import model_of, zone_of
from api.state import CityOf, StateOf
from reporting.figures.figures import figures
from reporting.targets import score, stored_targets
from telemetry.kpi_value import KpiQuery
from telemetry.periods import parse_period

router = APIRouter(prefix="/v1/cities/{city}", tags=["KPI values"])


class SubDimensionsQuery(BaseModel):
    """The selected period."""

    model_config = ConfigDict(extra="forbid")

    period: str = Field(description="2018, 2018-Q3, 2018-07 or 2018-07-01")


_SVG: dict[int | str, dict[str, Any]] = {
    200: {"content": {"image/svg+xml": {"schema": {"type": "string"}}}, "description": "The picture"}
}


@router.get("/sub-dimensions.svg", response_class=Response, responses={**_SVG, **responses(404, 422, 503)})
def city_sub_dimensions(record: CityOf, state: StateOf, query: Annotated[SubDimensionsQuery, Query()]) -> Response:
    """Performance by sub-dimension, against the city's own targets, with a text alternative."""
    from reporting.region.blocks import picture, sub_dimensions  # noqa: PLC0415 - imported with the first picture

    period = parse_period(query.period, zone_of(record))
    found = figures(row.kpi for row in state.store.kpis(KpiQuery.of_period(record.id, period)))
    city = model_of(record)
    parts = sub_dimensions(found, score(found, stored_targets(city)))
    return Response(picture(city.city.name, period.label, parts), media_type="image/svg+xml")
