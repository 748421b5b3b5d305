"""/v1/cities/{city}/devices: every registered device, when it was last heard, and its newest values."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from api.devices import DeviceState
from api.model import Devices
from api.problems import responses
from api.queries import model_of
from api.state import CityOf, StateOf
from api.tables import FILES, Form, as_file
from telemetry.periods import iso
from telemetry.quantities import QUANTITIES

router = APIRouter(prefix="/v1/cities/{city}", tags=["Cities"])


class DevicesQuery(BaseModel):
    """In which form."""

    model_config = ConfigDict(extra="forbid")

    format: Form = Field("json", description="csv or xlsx: one row a device, one column a quantity")


_FILE = ("id", "site", "kind", "state", "heard", "suspect_days", "lat", "lon", "withheld")


@router.get("/devices", response_model=Devices, responses={**FILES, **responses(404, 422, 503)})
def devices(record: CityOf, state: StateOf, query: Annotated[DevicesQuery, Query()]) -> dict[str, Any] | Response:
    """The registered devices, those that need somebody first. `heard` looks back 40 days."""
    now = state.clock()
    city = model_of(record)
    found = state.fleets.of(city, state.store, now)
    suspects = state.suspects.of(city, state.store, now)
    counts = {name: sum(d.state == name for d in found.devices) for name in ("ok", "silent", "unheard")}
    senders = [
        {"id": name, "heard": iso(s.heard), "nearest": s.nearest, "command": s.command}
        for name, s in found.unregistered.items()
    ]
    rows = [{**device_row(d), "suspect_days": (suspects or {}).get(d.id, 0)} for d in found.devices]
    if query.format != "json":
        return _file(rows, query.format, f"{record.id}-devices")
    return {
        "city": record.id, "at": iso(now), "counts": counts, "devices": rows, "unregistered": senders,
        "judged": suspects is not None,
    }  # fmt: skip


def _file(rows: list[dict[str, Any]], form: Form, name: str) -> Response:
    """The devices with their newest values; the unit stands in the head of a column."""
    units = {q: n["unit"] for row in rows for q, n in row["newest"].items()}
    heads = {q: f"{q} ({unit})" for q, unit in sorted(units.items())}
    values = [{head: row["newest"].get(q, {}).get("value") for q, head in heads.items()} for row in rows]
    flat = [{**row, **mine} for row, mine in zip(rows, values, strict=True)]
    return as_file(flat, [*_FILE, *heads.values()], form, name)


def device_row(device: DeviceState) -> dict[str, Any]:
    """A device as JSON: times in RFC 3339, units beside values."""
    newest = {q: {"at": iso(n.t), "value": n.value, "unit": QUANTITIES[q].unit} for q, n in device.newest.items()}
    plain: dict[str, Any] = msgspec.to_builtins(device)
    return {**plain, "heard": None if device.heard is None else iso(device.heard), "newest": newest}
