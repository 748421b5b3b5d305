"""What the city file states about registers: meter changes, and what a connection can carry. Pure."""

from __future__ import annotations

import math

from kpi_derivation.rules.metering.registers import MeterChange
from registry.city import City
from telemetry.quantities import QUANTITIES


def meter_changes(city: City) -> dict[tuple[str, str], list[MeterChange]]:
    """By device and quantity, in time order."""
    found: dict[tuple[str, str], list[MeterChange]] = {}
    for device in city.device:
        for entry in sorted(device.meter_change, key=lambda e: e.time):
            last, first = (math.nan if v is None else v for v in (entry.last, entry.first))
            found.setdefault((device.id, entry.quantity), []).append(MeterChange(entry.time, last, first))
    return found


def connection_limits(city: City) -> dict[tuple[str, str], float]:
    """The most kWh an hour of each register of energy whose `max_kw` is given, by device and quantity."""
    return {
        (device.id, quantity): device.max_kw
        for device in city.device
        for quantity in device.quantities
        if device.max_kw is not None and QUANTITIES[quantity].kind == "counter" and QUANTITIES[quantity].unit == "kWh"
    }
