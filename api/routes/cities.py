"""/v1/cities: the cities, with the denominators, rules and devices of each."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from adapters.store import CityRecord
from api.model import CityDetail, CityJson
from api.problems import responses
from api.state import CityOf, StateOf
from telemetry.periods import iso
from telemetry.windows import HOUR

router = APIRouter(prefix="/v1", tags=["cities"])


def _summary(record: CityRecord) -> dict[str, Any]:
    city = record.config["city"]
    return {
        "id": record.id,
        "name": city.get("name", record.id),
        "country": city.get("country", ""),
        "timezone": city["timezone"],
        "population": city.get("population"),
        "n_devices": len(record.config.get("device", [])),
    }


@router.get("/cities", response_model=list[CityJson], responses=responses(503))
def cities(state: StateOf) -> list[dict[str, Any]]:
    """All cities in the store, sorted by id."""
    return [_summary(record) for record in state.store.cities()]


@router.get("/cities/{city}", response_model=CityDetail, responses=responses(404, 422, 503))
def city(record: CityOf, state: StateOf) -> dict[str, Any]:
    """One city: denominators, rules, devices, and the time range of its data."""
    hours, windows = (state.store.span(record.id, level) for level in ("hour", "window"))
    until = windows[1] + record.width if windows else hours[1] + HOUR if hours else None
    return {
        **_summary(record),
        "denominators": record.config["city"],
        "rules": record.config.get("rules", {}),
        "window_s": record.width / 1000,
        "data_from": iso(hours[0]) if hours else None,
        "data_until": iso(until) if until else None,
        "devices": record.config.get("device", []),
    }
