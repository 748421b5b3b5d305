"""/v1/cities/{city}/plan/scenario: the city's KPIs as measured and after changes to its windows.

A POST because a scenario may carry sessions; nothing is stored, and every role that reads may calculate.
"""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from api.problems import responses
from api.queries import model_of
from api.state import CityOf, LeftOf, StateOf
from telemetry.errors import UsageError
from telemetry.windows import DAY

router = APIRouter(prefix="/v1/cities/{city}/plan", tags=["Plans"], responses=responses(404, 422, 503))

_SESSIONS = 4_000_000  # characters
_METER_DAYS = 100_000  # meters times days that one request may transform; more is for the command line
_SHOWN = 20  # rows left out that are named


class ScenarioIn(BaseModel):
    """A scenario, as its file has it: transforms in the order in which they are applied."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field("scenario", max_length=200)
    period: str = Field(description="2018, 2018-07 or 2018-08..2018-12", max_length=40)
    transforms: list[dict[str, Any]] = Field(max_length=20, description="`kind` and its options, see `/transforms`")
    draws: int = Field(100, ge=1, le=300)
    seed: int = Field(1, ge=0, le=2**32)
    sessions_csv: str = Field(
        "", max_length=_SESSIONS, description="Text: start,end,device,energy_kwh,user_hash; empty: the server's own"
    )


class PlannedOut(BaseModel):
    """A KPI (part) as measured and planned; null where it has no value."""

    code: str
    part: str
    name: str
    unit: str
    baseline: float | None = Field(description="As measured.")
    p5: float | None
    p50: float | None
    p95: float | None = Field(description="Of the draws; all three are equal where no draw differs.")
    changed: bool
    method: str = Field(description="The KPI's own method and `+ scenario`.")
    notes: str


class FeederOut(BaseModel):
    """A feeder as measured and planned. Loading as a share of its rating."""

    id: str
    rating_kva: float
    meters: int
    cars: int
    hours: float
    highest: float
    hours_over: float
    headroom_kw: float
    life_hours: float
    scenario_highest: float
    scenario_highest_p95: float
    scenario_hours_over: float
    scenario_headroom_p95_kw: float
    scenario_life_hours: float


class ScenarioOut(BaseModel):
    """A scenario beside its baseline: planned values, which are never stored nor in the feed."""

    scenario: str
    label: str
    city: str
    period: str
    draws: int
    seed: int
    interval_min: float | None = Field(description="Over which the meters' loads are means.")
    values: list[PlannedOut]
    feeders: list[FeederOut]
    notes: list[str]
    rejected_rows: list[str] = Field(description="Rows of sessions that were left out, with the reason.")


class OptionOut(BaseModel):
    """An option of a transform; `default`: null where there is none, or it is a table."""

    name: str
    required: bool
    default: float | str | bool | None


class TransformOut(BaseModel):
    """What a scenario can change."""

    kind: str
    text: str
    options: list[OptionOut]


class TransformsOut(BaseModel):
    """All kinds of changes."""

    transforms: list[TransformOut]


@router.post("/scenario", response_model=ScenarioOut)
def plan_scenario(record: CityOf, state: StateOf, left: LeftOf, asked: ScenarioIn) -> dict[str, Any]:
    """Calculate a scenario: the same KPIs on changed windows, with 5, 50 and 95 % of the draws."""
    from api.assets.session_files import sessions_of  # noqa: PLC0415 - see api/routes/plan/charging.py
    from planning.charging.session_rows import read_text  # noqa: PLC0415
    from planning.measured import parse_span  # noqa: PLC0415
    from planning.scenario import Measured, Scenario, run  # noqa: PLC0415

    city = model_of(record)
    period = parse_span(asked.period, city)
    meters = sum(device.kind == "electricity_meter" for device in city.device)
    days = (period.end - period.start) / DAY
    if meters * days > _METER_DAYS:
        raise UsageError(
            f"{meters:,} meters over {days:.0f} days are more than this server calculates for a request; choose a "
            "shorter period, or run `cityvitals plan scenario`."
        )
    text = asked.sessions_csv
    sessions, bad = (read_text("sessions_csv", text) if text else sessions_of(state.sessions, city.id)) or (None, [])
    scenario = Scenario(name=asked.name, transforms=tuple(asked.transforms), draws=asked.draws, seed=asked.seed)
    with state.plans.turn(left):
        found = run(scenario, Measured(city, state.store, period, state.clock(), sessions))
    return msgspec.to_builtins(found) | {"rejected_rows": bad[:_SHOWN]}  # type: ignore[no-any-return]


@router.get("/transforms", response_model=TransformsOut)
def plan_transforms(record: CityOf) -> dict[str, Any]:  # noqa: ARG001 - the city must exist
    """What a scenario can change, with the options of each."""
    from planning.transforms import TRANSFORMS  # noqa: PLC0415

    return {
        "transforms": [
            {"kind": t.kind, "text": t.text, "options": [_option(f) for f in msgspec.structs.fields(t.options)]}
            for t in TRANSFORMS.values()
        ]
    }


def _option(field: msgspec.structs.FieldInfo) -> dict[str, Any]:
    plain = isinstance(field.default, str | float | int)
    return {"name": field.name, "required": field.required, "default": field.default if plain else None}
