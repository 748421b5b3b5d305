"""Metered energy of a period: shared by the electricity KPIs. Pure.

A meter counts by its interval energies (`energy_delta`) where it sends them, else by its register (`energy_total`),
else by its power; never by two of them. The energy of a register's step is spread evenly over the time between its two
readings (`registers`), so nothing is lost, and a reading at midnight closes the day before. Power that is negative (fed
into the grid) lowers the hour it is in.
"""

from __future__ import annotations

from collections.abc import Callable

from kpi_derivation.engine.view import View
from kpi_derivation.rules.metering.meters import Counted, counted
from registry.city import Device, DeviceKind

METERS: tuple[DeviceKind, ...] = ("electricity_meter",)
QUANTITIES = ("energy_delta", "energy_total", "power")


def consumes(device: Device) -> bool:
    """Whether a meter counts use, not generation."""
    return device.role != "generation"


def generates(device: Device) -> bool:
    """Whether a meter counts generation."""
    return device.role == "generation"


def metered(view: View, counts: Callable[[Device], bool] = consumes) -> Counted:
    """The period's metered energy, kWh, of the meters that `counts` picks."""
    return counted(view, METERS, QUANTITIES, counts)
