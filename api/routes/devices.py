"""/v1/cities/{city}/devices: every registered device, when it was last heard, and its newest values."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
from fastapi import APIRouter

from api.devices import LOOK_BACK, newest_of, states
from api.model import Devices
from api.problems import responses
from api.state import CityOf, StateOf
from registry.city import City
from telemetry.periods import iso
from telemetry.quantities import QUANTITIES
from telemetry.series import Series, SeriesTable
from telemetry.windows import DAY, HOUR

router = APIRouter(prefix="/v1/cities/{city}", tags=["Cities"])
_LONG_LOOK = 40 * DAY


@router.get("/devices", response_model=Devices, responses=responses(404, 422, 503))
def devices(record: CityOf, state: StateOf) -> dict[str, Any]:
    """The registered devices, those that need somebody first. `heard` looks back 40 days."""
    city, now, table = City.model_validate(record.config), state.clock(), SeriesTable()
    newest = newest_of(state.store.partials(city.id, "hour", now - LOOK_BACK, now + HOUR, table), table)
    quiet = [Series(city.id, d.id, q) for d in city.device if d.id not in newest for q in d.quantities]
    if quiet:
        ids = np.array([table.id_of(series) for series in quiet], dtype=np.int64)
        older = state.store.partials(city.id, "hour", now - _LONG_LOOK, now - LOOK_BACK, table, ids)
        newest |= newest_of(older, table)
    found = states(city, newest, now)
    rows = [{**msgspec.to_builtins(d), "heard": iso(d.heard) if d.heard is not None else None} for d in found]
    for row in rows:
        row["newest"] = {
            q: {"at": iso(n["t"]), "value": n["value"], "unit": QUANTITIES[q].unit} for q, n in row["newest"].items()
        }
    counts = {name: sum(d.state == name for d in found) for name in ("ok", "silent", "unheard")}
    return {"city": city.id, "at": iso(now), "counts": counts, "devices": rows}
