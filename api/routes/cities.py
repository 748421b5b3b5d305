"""/v1/cities: the cities, with the denominators, rules and devices of each."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from adapters.store import CityRecord
from api.devices import withheld
from api.model import CityDetail, CityJson
from api.now.freshness import silence
from api.problems import responses
from api.state import CityOf, StateOf
from registry.city import Rules
from telemetry.periods import iso

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
def city(
    record: CityOf, state: StateOf, devices: Annotated[bool, Query(description="false: without the list")] = True
) -> dict[str, Any]:
    """One city: denominators, rules, devices, and the time range of its data. Meters of homes have no position."""
    now, hours = state.clock(), state.store.span(record.id, "hour")
    until = state.freshness.of(record, state.store, now)
    silent = silence(record, until, state.store.heartbeats(), now, state.limits)
    return {
        **_summary(record),
        "denominators": record.config["city"],
        "rules": Rules.model_validate(record.config.get("rules", {})),
        "window_s": record.width / 1000,
        "change": state.store.newest_change(record.id),
        "data_from": iso(hours[0]) if hours else None,
        "data_until": iso(until) if until else None,
        "silence": {"stage": silent.stage, "since": iso(silent.since)} if silent else None,
        "devices": [_device(d) for d in record.config.get("device", [])] if devices else [],
    }


def _device(entry: dict[str, Any]) -> dict[str, Any]:
    hidden = (
        {"lat": None, "lon": None}
        if withheld(entry["kind"], entry.get("role", ""), entry.get("customers", 1.0))
        else {}
    )
    return {**entry, **hidden}
