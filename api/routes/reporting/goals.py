"""/v1/cities/{city}/goals: the city's targets, the rate each needs, and the rate it has."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.problems import responses
from api.queries import model_of
from api.state import CityOf, StateOf
from reporting.goals.progress import Form, Verdict
from reporting.scoring import Direction

router = APIRouter(prefix="/v1/cities/{city}", tags=["KPI values"])


class ProgressJson(BaseModel):
    """The newest final year against a goal."""

    year: int
    value: float
    form: Form
    needed: float | None = Field(description="Growth a year, or share of the time that has passed, by `form`.")
    actual: float | None = Field(description="Growth a year, or share of the way.")
    ratio: float | None = Field(description="actual / needed")
    verdict: Verdict
    expected: float | None = Field(description="The value of a steady way through the interim points.")
    interim_met: bool | None = Field(description="Whether the last interim point that has passed is reached.")
    why: str


class MonthJson(BaseModel):
    """The mean of the twelve months that end with this one."""

    month: str
    value: float
    expected: float | None


class GoalJson(BaseModel):
    """One goal. All targets are the city's own."""

    code: str
    part: str
    name: str
    unit: str
    target: float
    direction: Direction
    source: str
    year: int | None = Field(description="The deadline.")
    baseline: float | None
    baseline_year: int | None
    baseline_from: str
    interim: list[tuple[int, float]]
    progress: ProgressJson | None
    verdict: Verdict
    months: list[MonthJson]
    why: str = Field(description="Why there is no ratio; empty where there is one.")


class Goals(BaseModel):
    """The goals of a city."""

    city: str
    goals: list[GoalJson]


@router.get("/goals", response_model=Goals, responses=responses(404, 422, 503))
def city_goals(record: CityOf, state: StateOf) -> dict[str, Any]:
    """Each target of the city file with baseline, deadline and verdict."""
    from reporting.goals.stored import goals_of  # noqa: PLC0415 - imported with the first request for it

    found = goals_of(state.store, model_of(record))
    return {"city": record.id, "goals": [msgspec.to_builtins(line) for line in found]}
