"""LOCAL:E:METERED: kWh over all electricity meters in the period, as metered, nothing extrapolated."""

from __future__ import annotations

from kpi_derivation.catalogue import local_kpi
from kpi_derivation.energy import METERS, QUANTITIES, metered
from kpi_derivation.view import Part, View

__all__ = ["KINDS", "QUANTITIES", "derive"]

KPI = local_kpi(
    "LOCAL:E:METERED", "Metered electricity", "kWh", "Energy over all registered electricity meters", "Energy"
)
METHOD = "metered-energy/1"
KINDS = METERS


def derive(view: View) -> list[Part]:
    """One part, without a name."""
    m = metered(view)
    if not m.n_devices:
        why = "no meter reading in the period" if m.registered else "no electricity meter is registered"
        return [Part(value=None, coverage=0.0, n_devices=0, notes=why)]
    return [Part(value=m.amount, coverage=m.coverage, n_devices=m.n_devices, notes=m.notes)]
