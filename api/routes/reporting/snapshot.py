"""/v1/cities/{city}/snapshot.svg: the wheel of the 22 categories as a picture."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from api.problems import NotFound, responses
from api.queries import model_of, newest, zone_of
from api.state import CityOf, StateOf
from reporting.figures.figures import figures
from reporting.targets import score, stored_targets
from telemetry.errors import UsageError
from telemetry.kpi_value import KpiQuery
from telemetry.periods import CALENDAR, parse_period

router = APIRouter(prefix="/v1/cities/{city}", tags=["KPI values"])


class SnapshotQuery(BaseModel):
    """The selected period."""

    model_config = ConfigDict(extra="forbid")

    period: str | None = Field(None, description="2018, 2018-Q3, 2018-07 or 2018-07-01; default: the newest year")


_SVG: dict[int | str, dict[str, Any]] = {
    200: {"content": {"image/svg+xml": {"schema": {"type": "string"}}}, "description": "The picture"}
}


@router.get("/snapshot.svg", response_class=Response, responses={**_SVG, **responses(404, 422, 503)})
def city_snapshot(record: CityOf, state: StateOf, query: Annotated[SnapshotQuery, Query()]) -> Response:
    """The city snapshot, scored against the city's own targets, with a text alternative."""
    from reporting.wheel import snapshot  # noqa: PLC0415 - imported with the first picture

    label = query.period or _newest_year(record, state)
    if label in ("24h", "365d"):
        raise UsageError(
            "A snapshot is calculated for calendar periods only; use 2018, 2018-Q3, 2018-07 or 2018-07-01."
        )
    period = parse_period(label, zone_of(record))
    found = figures(row.kpi for row in state.store.kpis(KpiQuery.of_period(record.id, period)))
    city = model_of(record)
    picture = snapshot(city.city.name, period.label, found, score(found, stored_targets(city)))
    return Response(picture, media_type="image/svg+xml")


def _newest_year(record: CityOf, state: StateOf) -> str:
    labels = [row.kpi.period for row in newest(state.store, record.id, [CALENDAR[0]])]
    if not labels:
        raise NotFound(f"{record.id} has no value of a year yet; request a shorter period, such as period=2018-07.")
    return max(labels)
