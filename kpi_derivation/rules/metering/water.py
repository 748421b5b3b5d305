"""Water of a period by what the meter stands for: shared by the water KPIs. Pure; cubic metres.

A meter's `role` states whether it counts water supplied into the network (`supply`) or delivered to customers
(`billed`, and every meter without a role).
"""

from __future__ import annotations

from collections.abc import Callable

from kpi_derivation.engine.view import View
from kpi_derivation.rules.metering.meters import Counted, counted
from registry.city import Device, DeviceKind

METERS: tuple[DeviceKind, ...] = ("water_meter",)
QUANTITIES = ("water_total",)


def billed(device: Device) -> bool:
    """Whether a water meter counts what customers take."""
    return device.role != "supply"


def supplied(device: Device) -> bool:
    """Whether a water meter counts what is fed into the network."""
    return device.role == "supply"


def volume(view: View, counts: Callable[[Device], bool]) -> Counted:
    """The volume of the meters that `counts` picks."""
    return counted(view, METERS, QUANTITIES, counts)
