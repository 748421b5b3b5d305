"""/v1/cities/{city}/plan: what fits a connection beside the measured load, and this month's peak so far.

Planned values: they are labelled, and nothing of them is stored or enters the feed. The planner is imported with
the first plan: with what it needs it takes a megabyte, and most servers never plan.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from api.devices import check_shown
from api.problems import responses
from api.queries import model_of
from api.state import CityOf, StateOf
from registry.city import City
from telemetry.errors import UsageError, nearest
from telemetry.periods import Period, calendar_period, iso, local_date
from telemetry.series import FloatArray
from telemetry.windows import DAY

if TYPE_CHECKING:
    from planning.by_rule import RulePlan

router = APIRouter(prefix="/v1/cities/{city}/plan", tags=["Plans"], responses=responses(403, 404, 422, 503))

_MOST = 400 * DAY  # of load that one request may read
_CURVE = 200  # numbers of points in a curve
_POWERS = (3.7, 7.2, 11.0, 22.0)


class ChargingQuery(BaseModel):
    """How many points on which connection, beside whose load."""

    model_config = ConfigDict(extra="forbid")

    points: int = Field(ge=1, le=10_000, description="Number of charging points")
    connection: str = Field(description="House connection: 63A, 3x63A or 1x25A", min_length=2, max_length=20)
    kw: float = Field(11.0, gt=0, le=1000, description="Rated power of a point")
    period: str | None = Field(None, description="Of the building's load: 2018, 2018-07 or 2018-08..2018-12")
    meter: list[str] | None = Field(None, description="Meters of the building; may be given several times")
    km: float = Field(13_000, ge=0, le=1e6, description="Km a vehicle and year")
    kwh_per_100km: float = Field(20.0, gt=0, le=1000, description="At the plug")
    at_home: float = Field(0.9, ge=0, le=1, description="Share of the energy charged here")
    curve: bool = Field(False, description="Also peaks of other numbers of points, and other powers of a point")


class PlannedPeak(BaseModel):
    """The peak of this many points together with the building, kW."""

    points: int
    p50_kw: float
    p95_kw: float


class PlannedOption(BaseModel):
    """The same points with another rated power."""

    kw: float
    p95_kw: float
    headroom_kw: float
    fits: bool


class ChargingPlan(BaseModel):
    """What n charging points need. Power in kW; a planned value, not a measured one."""

    label: str = "planned: not measured"
    points: int
    kw: float
    connection_kw: float
    base_peak_kw: float = Field(description="Highest measured load of the building; 0 where none was asked for.")
    demand_factor_p50: float
    demand_factor_p95: float
    p50_kw: float
    p95_kw: float = Field(description="Building's highest load and charging together, a bad draw of users.")
    headroom_kw: float
    first_over: int | None = Field(description="First number of points whose p95 exceeds the connection.")
    energy_day_kwh: float
    energy_year_kwh: float
    fits: bool
    notes: list[str]
    curve: list[PlannedPeak] = []
    options: list[PlannedOption] = []


class PeakQuery(BaseModel):
    """What the month's peak is compared with."""

    model_config = ConfigDict(extra="forbid")

    limit: float | None = Field(None, gt=0, le=1e9, description="A limit in kW, as of a contract")
    meter: list[str] | None = Field(None, description="Only these meters; may be given several times")


class MonthPeak(BaseModel):
    """The running month's highest interval so far, for capacity tariffs."""

    month: str
    peak_kw: float
    peak_at: str
    latest_kw: float
    limit_kw: float | None
    left_kw: float = Field(description="kW that are left under the higher of peak and limit.")
    missing: float = Field(ge=0, le=1, description="Share of the intervals so far that were not measured.")


@router.get("/charging", response_model=ChargingPlan)
def plan_charging(record: CityOf, state: StateOf, query: Annotated[ChargingQuery, Query()]) -> dict[str, Any]:
    """How many charging points fit a connection, by the measured load and demand factors of a recorded site."""
    from planning.by_rule import plan_by_rule  # noqa: PLC0415 - see above
    from planning.charging.connection import Connection  # noqa: PLC0415
    from planning.charging.vehicles import Vehicles  # noqa: PLC0415
    from planning.measured import amps_of, parse_span  # noqa: PLC0415

    amps, phases = amps_of(query.connection)
    if amps <= 0:
        raise UsageError(f"connection={query.connection}: a connection has more than 0 A.")
    connection = Connection(amps, 400.0 if phases == 3 else 400.0 / 3**0.5, phases)
    if (query.period is None) != (not query.meter):
        raise UsageError("period and meter belong together: the load of which meters, and when.")
    base = None
    if query.period is not None and query.meter:
        city = model_of(record)
        base = _load(state.store, city, parse_span(query.period, city), query.meter)
    used = Vehicles(query.km, query.kwh_per_100km, query.at_home)
    made = plan_by_rule(query.points, query.kw, connection, base, used)
    answer = msgspec.structs.asdict(made)
    if query.curve:
        answer["curve"] = [_peak(made, n) for n in range(1, min(max(2 * query.points, 20), _CURVE) + 1)]
        others = (plan_by_rule(query.points, kw, connection, base, used) for kw in _POWERS)
        answer["options"] = [
            {"kw": o.kw, "p95_kw": o.p95_kw, "headroom_kw": o.headroom_kw, "fits": o.fits} for o in others
        ]
    return answer


def _peak(plan: RulePlan, n: int) -> dict[str, float]:
    """The peak of n points under the plan's assumptions."""
    from planning.by_rule import factors  # noqa: PLC0415

    found = factors(n, plan.kw)
    middle, high = (plan.base_peak_kw + n * plan.kw * factor for factor in (found.p50, found.p95))
    return {"points": n, "p50_kw": middle, "p95_kw": high}


@router.get("/peak", response_model=MonthPeak)
def month_peak(record: CityOf, state: StateOf, query: Annotated[PeakQuery, Query()]) -> dict[str, Any]:
    """This month's peak so far, and what is left under it."""
    from planning.outlook import peak  # noqa: PLC0415

    city, now = model_of(record), state.clock()
    month = calendar_period("month", local_date(now, city.zone), city.zone)
    found = peak(state.store, _only(city, query.meter or []), now, query.limit)
    return {
        "month": month.label, "peak_kw": found.kw, "peak_at": iso(found.at), "latest_kw": found.latest,
        "limit_kw": found.limit, "left_kw": found.left, "missing": found.missing,
    }  # fmt: skip


def _load(store: Any, city: City, period: Period, meters: list[str]) -> FloatArray:  # noqa: ANN401 - a SharedStore
    """Load of the meters together (of all where none is named), kW in each quarter, NaN where none was measured."""
    from planning.measured import engine_over, load_curves  # noqa: PLC0415

    if period.end - period.start > _MOST:
        raise UsageError(f"{period.label} is longer than 400 days; request a shorter period.")
    return load_curves(engine_over(_only(city, meters), store, period), period).total()


def _only(city: City, meters: list[str]) -> City:
    """The city with these electricity meters alone, with all of them where none is named."""
    known = {d.id: d for d in city.device if d.kind == "electricity_meter"}
    for name in meters:
        if name not in known:
            hint = nearest(name, known) if known else "the city has no electricity meter."
            raise UsageError(f"'{name}' is not an electricity meter of '{city.id}'; {hint}")
    check_shown(city, meters)
    return city.model_copy(update={"device": [known[name] for name in sorted(set(meters) or known)]})
