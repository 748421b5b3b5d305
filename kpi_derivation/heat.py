"""Heat of a period: the steps of heat meters' registers, kWh. Pure."""

from __future__ import annotations

from collections.abc import Callable

from kpi_derivation.energy import Metered
from kpi_derivation.view import View
from telemetry.city import Device, DeviceKind

METERS: tuple[DeviceKind, ...] = ("heat_meter",)
GJ_PER_KWH = 0.0036


def heat(view: View, counts: Callable[[Device], bool]) -> Metered:
    """Sum the heat of the meters that `counts` picks."""
    kwh, covered, seen, registered = 0.0, 0.0, 0, 0
    rows = view.rows("heat_total", METERS)
    for i, device in enumerate(rows.devices):
        if counts(device):
            registered += 1
            seen += bool(rows.n[i])
            kwh += float(rows.increase[i])
            covered += min(float(rows.covered[i]), view.expected_ms)
    coverage = covered / (registered * view.expected_ms) if registered and view.expected_ms else 0.0
    return Metered(kwh, coverage, seen, registered, "")
