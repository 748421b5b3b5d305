"""Metered energy of a period: shared by the electricity KPIs. Pure.

A meter counts by its interval energies (`energy_delta`) where it sends them, else by its register (`energy_total`);
never by both. A register's steps across a gap count in the period in which the gap ends, so nothing is lost.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

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
        mine = view.picked(rows.devices, quantity, counts) & view.picked(rows.devices, quantity, _by[quantity])
        given = mine & (rows.n > 0)
        registered, seen = registered + int(mine.sum()), seen + int(given.sum())
        kwh = sum((rows.sum if quantity == "energy_delta" else rows.increase)[given].tolist(), kwh)
        covered = sum(np.minimum(rows.covered[given], view.expected_ms).tolist(), covered)
        guessed = guessed or bool((given & view.picked(rows.devices, quantity, _own_interval)).any())
    coverage = covered / (registered * view.expected_ms) if registered and view.expected_ms else 0.0
    return Metered(kwh, coverage, seen, registered, "interval: the devices' own median step" if guessed else "")


def _own_interval(device: Device) -> bool:
    return device.interval_s is None


def _by_interval(device: Device) -> bool:
    return "energy_delta" in device.quantities


def _by_register(device: Device) -> bool:
    return "energy_delta" not in device.quantities


_by = {"energy_delta": _by_interval, "energy_total": _by_register}
