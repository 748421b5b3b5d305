"""/v1/cities/{city}/areas: the electricity of homes on a map, as areas of at least fifty homes."""

from __future__ import annotations

from typing import Any

import numpy as np
from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.areas import LEAST_HOMES, Home, areas
from api.devices import withheld
from api.hours import hours_of
from api.problems import responses
from api.queries import model_of
from api.state import CityOf, StateOf
from registry.city import City, Device
from telemetry.periods import iso
from telemetry.windows import HOUR

router = APIRouter(prefix="/v1/cities/{city}", tags=["Devices"], responses=responses(404, 422, 503))


class AreaJson(BaseModel):
    """A square in degrees, its homes and their power together."""

    south: float
    west: float
    north: float
    east: float
    homes: int
    meters: int
    kw: float | None = Field(description="Mean power of the last full hour; null where too few homes are known.")


class Areas(BaseModel):
    """The areas of a city."""

    city: str
    at: str
    least_homes: int
    areas: list[AreaJson]
    not_shown: int = Field(description="Meters in an area of fewer homes.")


@router.get("/areas", response_model=Areas)
def city_areas(record: CityOf, state: StateOf) -> dict[str, Any]:
    """Squares of a fixed grid; one with too few homes is joined with its neighbours, or not shown."""
    city = model_of(record)
    mine = [d for d in city.device if d.kind == "electricity_meter" and withheld(d.kind, d.role, d.customers)]
    placed = [d for d in mine if d.lat is not None and d.lon is not None]
    end = state.clock() // HOUR * HOUR
    kw = _power(city, state.store, placed, end - HOUR, end)
    homes = [Home(d.lat or 0.0, d.lon or 0.0, d.customers, kw.get(d.id)) for d in placed]
    found, left = areas(homes)
    rows = [a._asdict() for a in found]
    return {"city": city.id, "at": iso(end), "least_homes": LEAST_HOMES, "areas": rows, "not_shown": left}


def _power(city: City, store: Any, meters: list[Device], start: int, end: int) -> dict[str, float]:  # noqa: ANN401
    """kW of each meter in the hour: its energy, by what it measures."""
    found: dict[str, float] = {}
    for quantity in ("energy_delta", "energy_total"):
        names = [d.id for d in meters if quantity in d.quantities and d.id not in found]
        if names:
            values = hours_of(city, store, quantity, names, start, end).value[:, 0]
            found |= {d: float(v) for d, v in zip(names, values, strict=True) if not np.isnan(v)}
    return found
