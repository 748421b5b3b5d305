"""/v1/cities/{city}/plan/sessions and POST .../plan/charging: the calculator on recorded sessions.

Sessions come with the request or are those that the server has for the city; nothing is stored.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from api.devices import check_shown
from api.problems import responses
from api.queries import model_of
from api.state import CityOf, LeftOf, State, StateOf
from telemetry.errors import UsageError
from telemetry.periods import iso
from telemetry.windows import DAY

if TYPE_CHECKING:
    from planning.charging.sessions import Sessions

router = APIRouter(prefix="/v1/cities/{city}/plan", tags=["Plans"], responses=responses(403, 404, 422, 503))

_SESSIONS = 4_000_000  # characters
_MOST = 400 * DAY  # of load that one request may read
_SHOWN = 20  # rows left out that are named


class ChargingIn(BaseModel):
    """How many points on which connection or feeder, beside whose load, with whose sessions."""

    model_config = ConfigDict(extra="forbid")

    points: int = Field(ge=1, le=500, description="Number of charging points")
    kw: float = Field(11.0, ge=0.1, le=1000, description="Rated power of a point")
    connection: str = Field("", max_length=20, description="House connection: 63A, 3x63A or 1x25A")
    feeder: str = Field("", max_length=200, description="Or a feeder of the city file: its meters and its rating")
    meters: list[str] = Field([], max_length=1000, description="Meters of the building; all of the city if empty")
    period: str = Field("", max_length=40, description="Of the load: 2018, 2018-07 or 2018-08..2018-12; none if empty")
    km: float | None = Field(None, gt=0, le=1e6, description="Km a vehicle and year; null: energy as recorded")
    kwh_per_100km: float = Field(20.0, gt=0, le=1000, description="At the plug")
    at_home: float = Field(0.9, gt=0, le=1, description="Share of the energy charged here")
    shortfall: float = Field(0.005, ge=0, le=1, description="Share of the energy that management may leave unserved")
    cheap_hour: float = Field(22.0, ge=0, lt=24, description="When the cheap tariff begins, of the city's clock")
    least_kwh: float = Field(100.0, ge=0, le=1e6, description="Users with less in the period are left out")
    draws: int = Field(300, ge=1, le=300)
    seed: int = Field(1, ge=0, le=2**32)
    sessions_csv: str = Field(
        "", max_length=_SESSIONS, description="Text: start,end,device,energy_kwh,user_hash; empty: the server's own"
    )


class SpreadOut(BaseModel):
    """5, 50 and 95 % of the draws."""

    p5: float
    p50: float
    p95: float


class SolutionOut(BaseModel):
    """One solution; `shortfall`: share of the energy that cannot be in the cars by plug-out."""

    name: str
    kw: float
    p95_kw: float
    fits: bool
    shortfall: float
    text: str


class ContributionOut(BaseModel):
    """What one assumption adds to the planned peak."""

    what: str
    kw: float


class ChargingOut(BaseModel):
    """The plan. Power in kW, shares 0 to 1; planned values, which are never stored nor in the feed."""

    label: str = "planned: not measured"
    points: int
    kw: float
    interval_min: float = Field(description="Over which the loads and both factors are means.")
    days: float
    users: int
    draws: int
    seed: int
    connection_kw: float
    base_peak_kw: float
    energy_day_kwh: float
    energy_year_kwh: float
    unmanaged: SpreadOut
    demand_factor: SpreadOut
    coincidence: SpreadOut
    headroom_kw: float
    first_over: int | None = Field(description="First number of points whose p95 exceeds the connection.")
    looked_up_to: int
    managed_kw: float = Field(description="The smallest constant limit that the chargers need when managed.")
    managed_shortfall: float
    options: list[SolutionOut] = Field(description="Cheapest first.")
    recommended: str
    floor_14a_kw: float | None = Field(description="What remains when the grid operator dims (Germany).")
    tariff: SpreadOut | None = Field(description="The peak when everybody waits for the cheap hour.")
    contributions: list[ContributionOut]
    notes: list[str]
    rejected_rows: list[str] = Field(description="Rows of sessions that were left out, with the reason.")


class SessionsOut(BaseModel):
    """The recorded sessions that this server has for the city; 0 of none."""

    sessions: int
    users: int
    first: str | None
    last: str | None


@router.get("/sessions", response_model=SessionsOut)
def plan_sessions(record: CityOf, state: StateOf) -> dict[str, Any]:
    """How many recorded sessions of how many users the server has for plans of this city."""
    from api.assets.session_files import sessions_of  # noqa: PLC0415 - see api/routes/plan/charging.py

    found = sessions_of(state.sessions, record.id)
    if found is None:
        return {"sessions": 0, "users": 0, "first": None, "last": None}
    s = found[0]
    return {
        "sessions": len(s), "users": len(s.users), "first": iso(int(s.start.min())), "last": iso(int(s.start.max())),
    }  # fmt: skip


@router.post("/charging", response_model=ChargingOut)
def plan_charging_sessions(record: CityOf, state: StateOf, left: LeftOf, asked: ChargingIn) -> dict[str, Any]:
    """How many charging points fit, from whole users of recorded sessions and the measured load."""
    from planning.charging.answer import as_plain  # noqa: PLC0415
    from planning.measured import parse_span  # noqa: PLC0415
    from planning.request import Asked, Place, charging_plan  # noqa: PLC0415

    city = model_of(record)
    place = None
    if asked.period:
        period = parse_span(asked.period, city)
        if period.end - period.start > _MOST:
            raise UsageError(f"{period.label} is longer than 400 days; choose a shorter period.")
        place = Place(city, state.store)
    elif asked.meters or asked.feeder:
        raise UsageError("The load of meters or of a feeder needs a period: when was it measured?")
    check_shown(city, [*asked.meters, *(name for f in city.feeder if f.id == asked.feeder for name in f.meters)])
    sessions, bad = given_or_own(asked.sessions_csv, state, record.id)
    plain = asked.model_dump(exclude={"sessions_csv", "meters"})
    with state.plans.turn(left):
        found = charging_plan(Asked(**plain, meters=tuple(asked.meters)), sessions, place, _today(state))
    return as_plain(found) | {"rejected_rows": bad[:_SHOWN]}


def given_or_own(text: str, state: State, city: str) -> tuple[Sessions, list[str]]:
    """The sessions of the request, else the server's for the city. Raises UsageError where there are none."""
    from api.assets.session_files import sessions_of  # noqa: PLC0415
    from planning.charging.session_rows import read_text  # noqa: PLC0415

    found = read_text("sessions_csv", text) if text else sessions_of(state.sessions, city)
    if found is None:
        raise UsageError(
            f"This plan needs recorded sessions: the request has none in sessions_csv, and this server has none of "
            f"'{city}' ([api] sessions)."
        )
    return found


def _today(state: State) -> Any:  # noqa: ANN401 - a date
    return datetime.fromtimestamp(state.clock() / 1000, tz=UTC).date()
