"""/v1/cities/{city}/report/states, submit, verify, withdraw: what became of figures, and who did it.

They need the role reporter, and operator to verify: drafts and names of people are not for every reader.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from api.problems import responses
from api.queries import model_of
from api.state import CityOf, StateOf, who_of
from registry.city import City
from telemetry.periods import iso

if TYPE_CHECKING:
    from reporting.figures.reported import Reported
    from reporting.submission.steps import Status

Step = Callable[[Any, City, list[tuple[str, str]], int, str, int], int]  # verify, withdraw

router = APIRouter(prefix="/v1/cities/{city}/report", tags=["Reporting"], responses=responses(401, 403, 404, 422, 503))


class StatesQuery(BaseModel):
    """Of which year; default: all."""

    model_config = ConfigDict(extra="forbid")

    year: int | None = Field(None, ge=1990, le=2100)


class YearIn(BaseModel):
    """The year whose drafts are submitted."""

    model_config = ConfigDict(extra="forbid")

    year: int = Field(ge=1990, le=2100)


class FigureName(BaseModel):
    """One figure."""

    model_config = ConfigDict(extra="forbid", str_max_length=100)

    code: str
    part: str = ""


class NamedFigures(YearIn):
    """Figures of a year."""

    figures: list[FigureName] = Field(min_length=1, max_length=500)


class StepOut(BaseModel):
    """One entry of a figure's history."""

    time: str
    state: Literal["draft", "submitted", "verified", "withdrawn"]
    who: str
    value: float
    quality: str
    source: str
    remark: str


class FigureOut(BaseModel):
    """A figure as it was entered."""

    value: float
    numerator: float | None
    denominator: float | None
    quality: str
    source: str
    remark: str


class StateOut(BaseModel):
    """The state of a figure; `figure` is the city's, `draft` what is not submitted yet."""

    code: str
    part: str
    year: int
    state: Literal["draft", "submitted", "verified"]
    who: str
    time: str | None
    figure: FigureOut | None
    draft: FigureOut | None
    steps: list[StepOut]


class States(BaseModel):
    """All figures of a year, or of all years."""

    states: list[StateOut]


class Changed(BaseModel):
    """How many figures changed their state, and what a verifier would check."""

    changed: int
    findings: list[str] = []


@router.get("/states", response_model=States)
def states(record: CityOf, state: StateOf, query: Annotated[StatesQuery, Query()]) -> dict[str, Any]:
    """Draft, submitted or verified: every figure that was entered, with its history and who did it."""
    from reporting.submission.work import statuses_of  # noqa: PLC0415 - see api/routes/reporting/report.py

    found = statuses_of(state.store, model_of(record), query.year)
    return {"states": [_state(s) for s in found]}


@router.post("/submit", response_model=Changed)
def submit_route(record: CityOf, state: StateOf, body: YearIn, request: Request) -> dict[str, Any]:
    """Check all drafts of a year and store them as the city's figures, all or none."""
    from reporting.submission.work import submit_drafts  # noqa: PLC0415

    with state.store.writing() as store:
        done = submit_drafts(store, model_of(record), body.year, who_of(request), state.clock())
    return {"changed": done.figures, "findings": [f.text for f in done.findings]}


@router.post("/verify", response_model=Changed)
def verify_route(record: CityOf, state: StateOf, body: NamedFigures, request: Request) -> dict[str, Any]:
    """Confirm submitted figures, all or none; not by the person who submitted them."""
    from reporting.submission.work import verify  # noqa: PLC0415

    return _step(verify, record, state, body, request)


@router.post("/withdraw", response_model=Changed)
def withdraw_route(record: CityOf, state: StateOf, body: NamedFigures, request: Request) -> dict[str, Any]:
    """Drop drafts, all or none; submitted figures stay."""
    from reporting.submission.work import withdraw  # noqa: PLC0415

    return _step(withdraw, record, state, body, request)


def _step(step: Step, record: CityOf, state: StateOf, body: NamedFigures, request: Request) -> dict[str, Any]:
    wanted, city = [(p.code, p.part) for p in body.figures], model_of(record)
    with state.store.writing() as store:
        return {"changed": step(store, city, wanted, body.year, who_of(request), state.clock())}


def _state(s: Status) -> dict[str, Any]:
    steps = [
        {"time": iso(step.time), "state": step.state, "who": step.who, **_figure(step.figure)} for step in s.steps
    ]  # fmt: skip
    return {
        "code": s.code, "part": s.part, "year": s.year, "state": s.state, "who": s.who,
        "time": iso(s.time) if s.time else None, "figure": _figure(s.figure) if s.figure else None,
        "draft": _figure(s.draft) if s.draft else None, "steps": steps,
    }  # fmt: skip


def _figure(f: Reported) -> dict[str, Any]:
    return {
        "value": f.value, "numerator": f.numerator, "denominator": f.denominator, "quality": f.quality,
        "source": f.source, "remark": f.remark,
    }  # fmt: skip
