"""/v1/cities/{city}/now: what the first view of the page needs, in one answer."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.now.air import Values, air
from api.now.attention import attention
from api.now.charging import charging
from api.now.electricity import electricity, too_many
from api.now.standing import standing
from api.problems import responses
from api.queries import model_of, newest, recent_years
from api.state import CityOf, StateOf
from reporting.indicators import newest_indicators
from telemetry.kpi_value import StoredKpi
from telemetry.periods import iso

router = APIRouter(prefix="/v1/cities/{city}", tags=["KPI values"])


class Now(BaseModel):
    """A city at this moment. A part that the city has no devices for is null."""

    city: str
    at: str
    change: int = Field(description="Number of the last change in it: send it to /v1/live as Last-Event-ID.")
    updated: str | None = Field(description="Time of the newest change of a value.")
    newest_reading: str | None
    devices: dict[str, int] = Field(description="Registered devices: total, ok, silent, unheard.")
    air: dict[str, Any] | None
    electricity: dict[str, Any] | None
    charging: dict[str, Any] | None
    attention: list[dict[str, Any]]
    judged: bool = Field(description="Whether suspect stations are known; false in the first seconds of a server.")
    standing: dict[str, Any]


@router.get("/now", response_model=Now, responses=responses(404, 422, 503))
def now(record: CityOf, state: StateOf) -> dict[str, Any]:
    """Air, electricity, charging, what needs a look, and how the 91 indicators stand."""
    city, at = model_of(record), state.clock()
    change = state.store.newest_change(record.id)
    rows = newest(state.store, record.id)
    values: Values = {(r.kpi.code, r.kpi.part, r.kpi.kind): r.kpi for r in rows}
    seen = None if too_many(city) else state.recent.of(city, state.store, at)
    found = state.fleets.of(city, state.store, at)
    suspects = state.suspects.of(city, state.store, at)
    times = [d.heard for d in found.devices if d.heard is not None]
    counts = {name: sum(d.state == name for d in found.devices) for name in ("ok", "silent", "unheard")}
    return {
        "city": record.id,
        "at": iso(at),
        "change": change,
        "updated": _updated(rows),
        "newest_reading": iso(max(times)) if times else None,
        "devices": {"total": len(found.devices), **counts},
        "air": air(values, seen, at) if seen else None,
        "electricity": electricity(city, values, seen, at),
        "charging": charging(found.devices, values),
        "attention": attention(found.devices, suspects or {}, found.unregistered),
        "judged": suspects is not None,
        "standing": standing(newest_indicators(city, recent_years(state.store, record.id))),
    }


def _updated(rows: list[StoredKpi]) -> str | None:
    newest_change = max((row.updated for row in rows), default=0)
    return iso(newest_change) if newest_change else None
