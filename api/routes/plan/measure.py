"""/v1/cities/{city}/plan/measure/...: whether a measure worked, against a place that it does not touch."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from api.devices import check_shown
from api.problems import responses
from api.queries import model_of
from api.state import CityOf, LeftOf, StateOf
from telemetry.periods import iso

router = APIRouter(prefix="/v1/cities/{city}/plan/measure", tags=["Plans"], responses=responses(403, 404, 422, 503))

_PERIOD = "2018, 2018-07 or 2018-07..2018-12"


class _PairQuery(BaseModel):
    """Two places and a quantity; the reference is required."""

    model_config = ConfigDict(extra="forbid")

    site: str = Field(description="The device where the measure was taken", max_length=200)
    reference: str = Field(description="A device that the measure does not affect", max_length=200)
    quantity: str = Field(description="The quantity to compare, such as no2", max_length=60)
    seed: int = Field(1, ge=0, le=2**32)


class EffectQuery(_PairQuery):
    """Before and after a known date."""

    after: str = Field(description=f"When the measure was in force: {_PERIOD}", max_length=40)
    back: int = Field(1, ge=1, le=3, description="Compare with this many times 364 days before")
    weather: list[str] = Field([], max_length=6, description="device:quantity to adjust for; may be repeated")


class ChangeQuery(_PairQuery):
    """Where the date is not known."""

    period: str = Field(description=f"The period to search: {_PERIOD}", max_length=40)


class SavingsQuery(BaseModel):
    """Two buildings, the weather and two periods."""

    model_config = ConfigDict(extra="forbid")

    meter: str = Field(description="The building's electricity meter", max_length=200)
    reference: str = Field(description="A building that the measure does not affect", max_length=200)
    temperature: str = Field(description="device:quantity of the air temperature", max_length=260)
    before: str = Field(description=f"The baseline: {_PERIOD}", max_length=40)
    after: str = Field(description=f"When the measure was in force: {_PERIOD}", max_length=40)
    seed: int = Field(1, ge=0, le=2**32)


class IntervalOut(BaseModel):
    """An estimate with its 95 % interval, and on how many weeks of how many hours (savings: days) it rests."""

    value: float
    low: float
    high: float
    blocks: int
    hours: int


class EffectOut(BaseModel):
    """What changed at the site beyond the reference."""

    label: str = "estimate: not measured"
    sentence: str
    method: str
    unit: str
    interval: IntervalOut
    is_effect: bool = Field(description="Whether 0 lies outside of the interval.")
    missing: float = Field(description="Share of the hours that had no value at one of the two.")


class ChangeOut(BaseModel):
    """When the site most likely changed against the reference."""

    label: str = "estimate: not measured"
    sentence: str
    week: str
    change: float
    p: float = Field(description="How often chance alone gives as large a change.")


class SavingsOut(BaseModel):
    """kWh saved beyond the reference; `published`: whether the baseline passes the gates of CV(RMSE) and NMBE."""

    label: str = "estimate: not measured"
    sentence: str
    kwh: IntervalOut
    is_effect: bool
    share: float
    cv_rmse: float
    nmbe: float
    published: bool


@router.get("/effect", response_model=EffectOut)
def measure_effect(
    record: CityOf, state: StateOf, left: LeftOf, query: Annotated[EffectQuery, Query()]
) -> dict[str, Any]:
    """What a measure changed at a site: before and after, beyond the change of the reference."""
    from planning.measures import effect  # noqa: PLC0415 - see api/routes/plan/charging.py

    q, city = query, model_of(record)
    with state.plans.turn(left):
        found = effect(state.store, city, q.site, q.reference, q.quantity, q.after, q.back, q.weather, q.seed)
    return found._asdict() | {"interval": found.interval._asdict(), "is_effect": found.interval.is_effect}


@router.get("/change", response_model=ChangeOut)
def measure_change(
    record: CityOf, state: StateOf, left: LeftOf, query: Annotated[ChangeQuery, Query()]
) -> dict[str, Any]:
    """When a site changed against its reference, and how likely that is by chance."""
    from planning.measures import change  # noqa: PLC0415

    q, city = query, model_of(record)
    with state.plans.turn(left):
        found = change(state.store, city, q.site, q.reference, q.quantity, q.period, q.seed)
    return {"sentence": found.sentence, "week": iso(found.at)[:10], "change": found.change, "p": found.p}


@router.get("/savings", response_model=SavingsOut)
def measure_savings(
    record: CityOf, state: StateOf, left: LeftOf, query: Annotated[SavingsQuery, Query()]
) -> dict[str, Any]:
    """What a building saved beyond another one at the same weather."""
    from planning.measures import saved  # noqa: PLC0415

    q, city = query, model_of(record)
    check_shown(city, [q.meter, q.reference])
    with state.plans.turn(left):
        found = saved(state.store, city, q.meter, q.reference, q.temperature, q.before, q.after, q.seed)
    return found._asdict() | {"kwh": found.kwh._asdict(), "is_effect": found.kwh.is_effect}
