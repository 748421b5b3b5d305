"""/v1/cities/{city}/kpis/{code}/about and /limits: what an indicator is, and what its value is held against."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from api.model import CatalogueEntry
from api.now.guidelines import DAY, EU_YEAR, YEAR
from api.problems import NotFound, responses
from api.queries import catalogue_code, model_of
from api.state import CityOf
from kpi_derivation.catalogue import KPIS
from reporting.figures.points import unit_of
from reporting.targets import targets
from telemetry.errors import UsageError
from telemetry.periods import YEARLY, PeriodKind

router = APIRouter(prefix="/v1/cities/{city}/kpis/{code}", tags=["KPI values"], responses=responses(404, 422, 503))


class LimitsQuery(BaseModel):
    """Of which part, and for which kind of period."""

    model_config = ConfigDict(extra="forbid")

    part: str = Field("", description="Only this part, such as pm2_5")
    kind: PeriodKind = "year"


class LimitJson(BaseModel):
    """A limit of a value. `id` states its origin: a guideline of WHO, a limit value of the EU, the city's target."""

    id: Literal["who_day", "who_year", "eu_year", "eu_2030", "target"]
    value: float
    unit: str
    better: Literal["lower", "higher"]


class Limits(BaseModel):
    """The limits of one data point."""

    code: str
    part: str
    kind: str
    limits: list[LimitJson]


def known_code(code: str) -> str:
    """The catalogue's code. Raises NotFound naming the nearest."""
    try:
        return catalogue_code(code)
    except UsageError as error:
        raise NotFound(str(error)) from error


@router.get("/about", response_model=CatalogueEntry)
def about(record: CityOf, code: str) -> dict[str, Any]:  # noqa: ARG001 - a city that does not exist is 404
    """The catalogue's entry of one indicator."""
    return msgspec.structs.asdict(KPIS[known_code(code)])


@router.get("/limits", response_model=Limits)
def limits(record: CityOf, code: str, query: Annotated[LimitsQuery, Query()]) -> dict[str, Any]:
    """Guidelines, limit values and the city's target, as far as they are for this statistic and period."""
    known, city = known_code(code), model_of(record)
    found = _air(query.part, query.kind) if known == "EN:EN:AQ:1C" else []
    wanted = targets(city.target).get((known, query.part))
    if wanted is not None and query.kind in YEARLY:
        unit = unit_of(KPIS[known], query.part)
        found.append({"id": "target", "value": wanted.value, "unit": unit, "better": wanted.direction})
    return {"code": known, "part": query.part, "kind": query.kind, "limits": found}


def _air(part: str, kind: PeriodKind) -> list[dict[str, Any]]:
    """Only limits of the same statistic: means of a day, or of a year."""
    if kind in ("day", "24h"):
        rows = [("who_day", DAY.get(part))]
    elif kind in YEARLY:
        now, later = EU_YEAR.get(part, (None, None))
        rows = [("who_year", YEAR.get(part)), ("eu_2030", later), ("eu_year", now)]
    else:
        rows = []
    return [{"id": i, "value": v, "unit": "ug/m3", "better": "lower"} for i, v in rows if v is not None]
