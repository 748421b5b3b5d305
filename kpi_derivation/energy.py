"""Metered energy of a period: shared by the electricity KPIs. Pure.

A meter counts by its interval energies (`energy_delta`) where it sends them, else by its register (`energy_total`);
never by both. A register's steps across a gap count in the period in which the gap ends, so nothing is lost.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from kpi_derivation.view import View
from telemetry.city import Device, DeviceKind

METERS: tuple[DeviceKind, ...] = ("electricity_meter",)
QUANTITIES = ("energy_delta", "energy_total")


class Metered(NamedTuple):
    """kWh over all meters, the share of meter-time that readings stand for, and the meters that gave any."""

    kwh: float
    coverage: float
    n_devices: int
    registered: int
    notes: str


def consumes(device: Device) -> bool:
    """Whether a meter counts use, not generation."""
    return device.role != "generation"


def generates(device: Device) -> bool:
    """Whether a meter counts generation."""
    return device.role == "generation"


def metered(view: View, counts: Callable[[Device], bool] = consumes) -> Metered:
    """Sum the period's metered energy of the meters that `counts` picks."""
    kwh, covered, seen, registered, guessed = 0.0, 0.0, 0, 0, False
    for quantity in QUANTITIES:
        rows = view.rows(quantity, METERS)
        for i, device in enumerate(rows.devices):
            if _source(device) != quantity or not counts(device):
                continue
            registered += 1
            if rows.n[i]:
                seen += 1
                kwh += float(rows.sum[i] if quantity == "energy_delta" else rows.increase[i])
                covered += min(float(rows.covered[i]), view.expected_ms)
                guessed = guessed or device.interval_s is None
    coverage = covered / (registered * view.expected_ms) if registered and view.expected_ms else 0.0
    return Metered(kwh, coverage, seen, registered, "interval: the devices' own median step" if guessed else "")


def _source(device: Device) -> str:
    return "energy_delta" if "energy_delta" in device.quantities else "energy_total"
