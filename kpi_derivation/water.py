"""Water of a period by what the meter stands for: shared by the water KPIs. Pure; cubic metres.

A meter's `role` says whether it counts water supplied into the network (`supply`) or delivered to customers
(`billed`, and every meter without a role).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from kpi_derivation.view import View
from telemetry.city import Device, DeviceKind

METERS: tuple[DeviceKind, ...] = ("water_meter",)


class Volume(NamedTuple):
    """m³ over the meters, the share of meter-time that readings stand for, meters that gave any, and all of them."""

    m3: float
    coverage: float
    n_devices: int
    registered: int


def billed(device: Device) -> bool:
    """Whether a water meter counts what customers take."""
    return device.role != "supply"


def supplied(device: Device) -> bool:
    """Whether a water meter counts what is fed into the network."""
    return device.role == "supply"


def volume(view: View, counts: Callable[[Device], bool]) -> Volume:
    """The steps of the registers of the meters that `counts` picks."""
    m3, covered, seen, registered = 0.0, 0.0, 0, 0
    rows = view.rows("water_total", METERS)
    for i, device in enumerate(rows.devices):
        if counts(device):
            registered += 1
            seen += bool(rows.n[i])
            m3 += float(rows.increase[i])
            covered += min(float(rows.covered[i]), view.expected_ms)
    coverage = covered / (registered * view.expected_ms) if registered and view.expected_ms else 0.0
    return Volume(m3, coverage, seen, registered)
