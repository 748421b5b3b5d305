"""/v1/cities/{city}/plan/forecast: the next 48 hours with their measured error, shown only where it beats last week.

A forecast is calculated once an hour and cached; the first request of an hour waits for it.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from api.devices import check_shown
from api.problems import responses
from api.queries import model_of
from api.state import CityOf, LeftOf, StateOf
from telemetry.errors import Unavailable
from telemetry.windows import HOUR

router = APIRouter(prefix="/v1/cities/{city}/plan", tags=["Plans"], responses=responses(403, 404, 422, 503))

_KEPT = 64  # forecasts


class ForecastQuery(BaseModel):
    """What is to be forecast."""

    model_config = ConfigDict(extra="forbid")

    quantity: str = Field("load", description="load (of all meters), or a quantity of a device like no2", max_length=60)
    device: str = Field("", description="The device, unless the load is requested", max_length=200)


class ForecastHour(BaseModel):
    """One hour; `value` is null where the same hour of the week before was the better forecast in the past."""

    time: str
    value: float | None
    p90_error: float | None = Field(description="A tenth of the past errors at this distance were larger.")


class ForecastScore(BaseModel):
    """Mean absolute error of past forecasts `first` to `last` hours ahead, and of the week before."""

    first: int
    last: int
    model: float
    naive: float
    p90: float
    hours: int
    better: bool


class ForecastOut(BaseModel):
    """A forecast: not measured, not stored, not in the feed."""

    unit: str
    label: str
    hours: list[ForecastHour]
    scores: list[ForecastScore]


@router.get("/forecast", response_model=ForecastOut)
def plan_forecast(
    record: CityOf, state: StateOf, left: LeftOf, query: Annotated[ForecastQuery, Query()]
) -> dict[str, Any]:
    """The next 48 hours of the city's load, or of a device's quantity."""
    from planning.outlook import as_plain, made  # noqa: PLC0415 - see api/routes/plan/charging.py

    city, now = model_of(record), state.clock() // HOUR * HOUR
    check_shown(city, [query.device])
    key = (record.id, query.quantity, query.device, now)
    with state.plans.turn(left):
        if key not in state.forecasts:
            try:
                found, unit = made(state.store, city, query.quantity, query.device, now, None)
            except ModuleNotFoundError as error:
                raise Unavailable(
                    f"This server makes no forecasts: {error.name} is not installed. Its operator installs the"
                    " extra `planning` (pip install -e '.[planning]' in the folder of CityVitals) and restarts it."
                ) from None
            for old in list(state.forecasts)[: len(state.forecasts) - _KEPT + 1]:
                del state.forecasts[old]
            state.forecasts[key] = as_plain(found, unit)
        return state.forecasts[key]
