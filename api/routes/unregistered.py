"""/v1/cities/{city}/unregistered: what arrives and is in no KPI, because no city file lists it."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.now.senders import Seen, unregistered_of
from api.problems import responses
from api.queries import model_of
from api.state import CityOf, StateOf
from registry.city import City
from registry.unregistered import Unregistered
from telemetry.periods import iso, local_clock

router = APIRouter(prefix="/v1/cities/{city}", tags=["Cities"])
_MOST = 500


class UnregisteredJson(BaseModel):
    """A device that sends what the city file does not list."""

    device: str
    quantities: list[str]
    registered: bool = Field(description="Whether the city file has the device, but not these quantities.")
    since: str = Field(description="Time of the first reading of the last 25 hours, RFC 3339 UTC.")
    until: str = Field(description="Time of the newest reading, RFC 3339 UTC.")
    readings: int
    nearest: str = Field(description="The nearest registered id; empty where none is near.")
    text: str = Field(description="All of this in a sentence, in the city's time.")
    command: str = Field(description="What registers it, where CITY.toml is the city's file.")


class UnregisteredDevices(BaseModel):
    """Devices that send what the city file does not list, at most 500, and how many there are."""

    city: str
    count: int
    devices: list[UnregisteredJson]


@router.get("/unregistered", response_model=UnregisteredDevices, responses=responses(404, 422, 503))
def unregistered_devices(record: CityOf, state: StateOf) -> dict[str, Any]:
    """Devices and quantities of the last 25 hours that are stored and in no KPI."""
    city = model_of(record)
    found = unregistered_of(record, state.store, state.clock())
    rows = [_row(one, city, seen) for one, seen in found[:_MOST]]
    return {"city": city.id, "count": len(found), "devices": rows}


def _row(one: Unregistered, city: City, seen: Seen) -> dict[str, Any]:
    return {
        "device": one.device, "quantities": list(one.quantities), "registered": one.registered,
        "since": iso(seen.since), "until": iso(seen.until), "readings": seen.readings, "nearest": one.like,
        "text": one.why(local_clock(seen.since, city.zone), seen.readings), "command": one.command(),
    }  # fmt: skip
