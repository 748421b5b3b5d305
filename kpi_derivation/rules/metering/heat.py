"""Heat of a period: the steps of heat meters' registers, kWh. Pure."""

from __future__ import annotations

from collections.abc import Callable

from kpi_derivation.engine.view import View
from kpi_derivation.rules.metering.meters import Counted, counted
from registry.city import Device, DeviceKind

METERS: tuple[DeviceKind, ...] = ("heat_meter",)
QUANTITIES = ("heat_total",)
GJ_PER_KWH = 0.0036


def heat(view: View, counts: Callable[[Device], bool]) -> Counted:
    """The heat of the meters that `counts` picks."""
    return counted(view, METERS, QUANTITIES, counts)
