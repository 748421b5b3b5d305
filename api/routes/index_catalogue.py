"""/v1/index/catalogue: DCAT-AP metadata of each city's feed."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from api.index_feed import VERSION
from api.problems import responses
from api.queries import model_of
from api.state import State, StateOf
from registry.city import City
from telemetry.periods import local_date

router = APIRouter(prefix="/v1/index", tags=["index"])


@router.get("/catalogue", response_model=dict[str, Any], responses=responses(503))
def index_catalogue(state: StateOf, request: Request) -> JSONResponse:
    """The feeds as a DCAT catalogue, JSON-LD."""
    from reporting.collect.dcat import catalogue  # noqa: PLC0415 - imported when the index reads it

    cities = [model_of(record) for record in state.store.cities()]
    base = str(request.base_url).rstrip("/")
    return JSONResponse(catalogue([(c, _span(state, c)) for c in cities], base, VERSION))


def _span(state: State, city: City) -> tuple[str, str] | None:
    """First and last day of the city's yearly values."""
    times = state.store.kpi_times(city.id, "year")
    if times is None:
        return None
    first, last = (local_date(t, city.zone).year for t in times)
    return f"{first}-01-01", f"{last}-12-31"
