"""Meter changes that the city file declares. Pure."""

from __future__ import annotations

import math

from kpi_derivation.rules.metering.registers import MeterChange
from registry.city import City


def meter_changes(city: City) -> dict[tuple[str, str], list[MeterChange]]:
    """By device and quantity, in time order."""
    found: dict[tuple[str, str], list[MeterChange]] = {}
    for device in city.device:
        for entry in sorted(device.meter_change, key=lambda e: e.time):
            last, first = (math.nan if v is None else v for v in (entry.last, entry.first))
            found.setdefault((device.id, entry.quantity), []).append(MeterChange(entry.time, last, first))
    return found
