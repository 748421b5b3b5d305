"""Shared bicycles and vehicles from recorded GBFS files (station_status and vehicle_status, version 1 to 3). Pure."""

from __future__ import annotations

import json
from typing import Any

GIVES = {
    "EC:I:T:6A": "station_status and vehicle_status of the bicycle sharing",
    "EC:I:T:7A": "station_status and vehicle_status of the car sharing",
}
_AT_STATIONS = ("num_vehicles_available", "num_bikes_available"), ("num_vehicles_disabled", "num_bikes_disabled")


def vehicles(texts: list[str]) -> int:
    """Vehicles of one moment: those at stations, usable or not, and those elsewhere. Raises ValueError."""
    total = 0
    for number, text in enumerate(texts, start=1):
        try:
            data = json.loads(text)["data"]
        except (ValueError, KeyError, TypeError):
            raise ValueError(f"file {number} is not a GBFS file: it has no data") from None
        if "stations" in data:
            total += sum(_first(s, names) for s in data["stations"] for names in _AT_STATIONS)
        elif "vehicles" in data or "bikes" in data:
            # Those at a station are counted there.
            total += sum(not v.get("station_id") for v in data.get("vehicles", data.get("bikes")))
        else:
            raise ValueError(f"file {number} has neither stations nor vehicles; give station_status or vehicle_status")
    return total


def _first(station: dict[str, Any], names: tuple[str, ...]) -> int:
    return next((int(station[name]) for name in names if station.get(name) is not None), 0)
