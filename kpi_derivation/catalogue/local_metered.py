"""LOCAL:E:METERED: kWh over all electricity meters in the period, as metered, nothing extrapolated.

A register's step across a gap is spread evenly over the gap: it is in this total, in no peak and in no coincidence
factor, and the notes state how much it is. Time that no reading stands for is not covered.
"""

from __future__ import annotations

import numpy as np

from kpi_derivation.catalogue import local_kpi
from kpi_derivation.engine.derived import TARGET
from kpi_derivation.engine.view import Part, View
from kpi_derivation.rules.metering.energy import METERS, consumes, metered
from kpi_derivation.rules.ratios import joined
from kpi_derivation.rules.reasons import no_data, no_device
from registry.city import Device
from telemetry.kpi_value import Reason

KPI = local_kpi(
    "LOCAL:E:METERED", "Metered electricity", "kWh", "Energy over all registered electricity meters", "Energy"
)
METHOD = "metered-energy/2"
REGION = "sum"
_LEAST = 1e-6  # share of the energy under which a difference is rounding


def derive(view: View) -> list[Part]:
    """One part, without a name."""
    m = metered(view)
    if not m.n_devices:
        why = (
            no_data("no meter reading in the period")
            if m.registered
            else no_device("no electricity meter is registered")
        )
        return [Part(value=None, coverage=0.0, n_devices=0, notes=why.text, reason=why.reason)]
    notes = joined(m.notes, _untimed(view))
    reason: Reason = "partial_period" if m.coverage < view.city.rules.period_capture else ""
    return [Part(value=m.amount, coverage=m.coverage, n_devices=m.n_devices, notes=notes, reason=reason)]


def _untimed(view: View) -> str:
    """Registers' energy that lies in no quarter of an hour, of registers read at least every quarter."""
    devices = view.devices(METERS, "energy_total")
    mine = view.picked(devices, "by its register", _by_register)
    if not mine.any():
        return ""
    counted, timed = view.rows("energy_total", METERS).increase, view.beside(devices, TARGET)
    quarters = mine & (timed.n > 0)
    without = np.where(quarters, counted - timed.sum, 0.0)
    kwh = float(without[without > _LEAST * counted].sum())
    return f"of these {kwh:,.0f} kWh lie in gaps between readings, spread over them; they are in no peak" if kwh else ""


def _by_register(device: Device) -> bool:
    return consumes(device) and "energy_delta" not in device.quantities
