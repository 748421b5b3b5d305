"""Which stations an air quality value rests on. Pure.

Reference and low-cost stations are never mixed unless the rule `mixed_air_kinds` says so; a value of low-cost sensors
is indicative and says it.
"""

from __future__ import annotations

from kpi_derivation.engine.view import View
from registry.city import DeviceKind

KINDS: tuple[DeviceKind, ...] = ("air_reference", "air_lowcost")
QUANTITIES = ("pm2_5", "pm10", "no2", "so2", "o3")


def kinds_of(view: View, quantity: str) -> tuple[tuple[DeviceKind, ...], str]:
    """The kinds of stations to use, and what must be said of the value."""
    if view.city.rules.mixed_air_kinds:
        return KINDS, "reference and low-cost stations mixed by rule"
    if view.devices(("air_reference",), quantity):
        return ("air_reference",), ""
    return ("air_lowcost",), "indicative: low-cost sensors" if view.devices(("air_lowcost",), quantity) else ""
