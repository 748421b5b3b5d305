"""Which stations an air quality value is derived from. Pure.

Reference and low-cost stations are never mixed unless the rule `mixed_air_kinds` says so; a value of low-cost sensors
is marked as indicative.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from kpi_derivation.engine.view import View
from registry.city import Device, DeviceKind
from telemetry.gases import relative
from telemetry.series import FloatArray

KINDS: tuple[DeviceKind, ...] = ("air_reference", "air_lowcost")
QUANTITIES = ("pm2_5", "pm10", "no2", "so2", "o3")


def kinds_of(view: View, quantity: str) -> tuple[tuple[DeviceKind, ...], str]:
    """The kinds of stations to use, and what must be said of the value."""
    if view.city.rules.mixed_air_kinds:
        return KINDS, "reference and low-cost stations mixed by rule"
    if view.devices(("air_reference",), quantity):
        return ("air_reference",), ""
    return ("air_lowcost",), "indicative: low-cost sensors" if view.devices(("air_lowcost",), quantity) else ""


def mass_scale(view: View, devices: tuple[Device, ...], quantity: str, celsius: float) -> FloatArray:
    """Per station, µg/m³ at a temperature for one as stored: 1 where mass is measured, or no temperature matters.

    A gas measured by volume (`in_ppb`) is stored with the publisher's factor; another rule converts at its own.
    """
    name = f"{quantity} of {devices[0].id if devices else ''} and others"
    return view.numbers(devices, name, _scale(quantity, celsius))


@cache
def _scale(quantity: str, celsius: float) -> Callable[[Device], float]:
    return lambda device: relative(quantity, celsius) if quantity in device.in_ppb else 1.0
