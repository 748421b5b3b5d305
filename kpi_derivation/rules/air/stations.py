"""Which stations an air quality value rests on. Pure.

Reference and low-cost stations are never mixed unless the rule `mixed_air_kinds` says so; a value of low-cost sensors
is indicative and says it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

from kpi_derivation.engine.view import Rows, View
from kpi_derivation.rules.presence import captures, in_service
from registry.city import Device, DeviceKind
from telemetry.gases import relative
from telemetry.kpi_value import Reason
from telemetry.series import BoolArray, FloatArray

KINDS: tuple[DeviceKind, ...] = ("air_reference", "air_lowcost")
QUANTITIES = ("pm2_5", "pm10", "no2", "so2", "o3")


def kinds_of(view: View, quantity: str) -> tuple[tuple[DeviceKind, ...], str]:
    """The kinds of stations to use, and what must be said of the value."""
    if view.city.rules.mixed_air_kinds:
        return KINDS, "reference and low-cost stations mixed by rule"
    if view.devices(("air_reference",), quantity):
        return ("air_reference",), ""
    return ("air_lowcost",), "indicative: low-cost sensors" if view.devices(("air_lowcost",), quantity) else ""


class Counting(NamedTuple):
    """Per station its share of the period's hours, and whether it counts; the coverage; why it is of a part only.

    Coverage is the mean share of the hours in which the stations were in service.
    """

    capture: FloatArray
    coverage: float
    counts: BoolArray
    reason: Reason


def counted(view: View, rows: Rows) -> Counting:
    """The stations that count: those with `period_capture` of the period's valid hours.

    Where there is none, those with that share of the hours in which they were in service; then of a part only.
    """
    capture, of_own = captures(view, rows)
    rule, some, there = view.city.rules.period_capture, rows.hours > 0, in_service(view, rows.devices)
    whole, partly = (capture >= rule) & some, (of_own >= rule) & some
    reason: Reason = "" if whole.any() or not partly.any() else "partial_period"
    coverage = float(of_own[there].mean()) if there.any() else 0.0
    return Counting(capture, coverage, partly if reason else whole, reason)


def mass_scale(view: View, devices: tuple[Device, ...], quantity: str, celsius: float) -> FloatArray:
    """Per station, µg/m³ at a temperature for one as stored: 1 where mass is measured, or no temperature matters.

    A gas measured by volume (`in_ppb`) is stored with the publisher's factor; another rule converts at its own.
    """
    name = f"{quantity} of {devices[0].id if devices else ''} and others"
    return view.numbers(devices, name, _scale(quantity, celsius))


@cache
def _scale(quantity: str, celsius: float) -> Callable[[Device], float]:
    return lambda device: relative(quantity, celsius) if quantity in device.in_ppb else 1.0
