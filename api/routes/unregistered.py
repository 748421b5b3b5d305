"""/v1/cities/{city}/unregistered: what arrives and is in no KPI, because no city file lists it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.problems import responses
from api.state import CityOf, StateOf
from registry.city import City
from registry.unregistered import Unregistered, unregistered
from telemetry.partials import Partials
from telemetry.periods import iso, local_clock
from telemetry.series import SeriesTable
from telemetry.windows import DAY, HOUR

router = APIRouter(prefix="/v1/cities/{city}", tags=["Cities"])
_LOOK_BACK = DAY + HOUR
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
    city, now, table = City.model_validate(record.config), state.clock(), SeriesTable()
    hours = state.store.partials(city.id, "hour", now - _LOOK_BACK, now + HOUR, table)
    seen = _seen(hours, table)
    found = unregistered(city, seen)
    rows = [_row(one, city, [seen[one.device, q] for q in one.quantities]) for one in found[:_MOST]]
    return {"city": city.id, "count": len(found), "devices": rows}


_Seen = tuple[int, int, int]  # readings, first and last time in ms UTC


def _seen(chunks: Iterable[Partials], table: SeriesTable) -> dict[tuple[str, str], _Seen]:
    """What arrived, by device and quantity."""
    found: dict[tuple[str, str], _Seen] = {}
    for chunk in chunks:
        rows = chunk.take(np.flatnonzero(chunk.n > 0))
        for s, n, a, b in zip(
            rows.series.tolist(), rows.n.tolist(), rows.first_t.tolist(), rows.last_t.tolist(), strict=True
        ):
            name = table[s].device, table[s].quantity
            before = found.get(name, (0, a, b))
            found[name] = before[0] + n, min(before[1], a), max(before[2], b)
    return found


def _row(one: Unregistered, city: City, seen: list[_Seen]) -> dict[str, Any]:
    readings, since, until = sum(n for n, _, _ in seen), min(a for _, a, _ in seen), max(b for _, _, b in seen)
    return {
        "device": one.device, "quantities": list(one.quantities), "registered": one.registered, "since": iso(since),
        "until": iso(until), "readings": readings, "nearest": one.like,
        "text": one.why(local_clock(since, city.zone), readings), "command": one.command(),
    }  # fmt: skip
