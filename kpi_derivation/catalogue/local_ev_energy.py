"""LOCAL:EV:ENERGY: energy of all charging sessions that began in the period, kWh."""

from __future__ import annotations

from kpi_derivation.catalogue import local_kpi
from kpi_derivation.engine.view import Part, View
from kpi_derivation.rules.charging import reporting, sessions

KPI = local_kpi(
    "LOCAL:EV:ENERGY",
    "EV charging energy",
    "kWh",
    "Energy of all charging sessions that began in the period",
    "EV charging",
)
METHOD = "charging-energy/2"
REGION = "sum"


def derive(view: View) -> list[Part]:
    """One part, without a name."""
    rows = sessions(view)
    found = reporting(view, rows)
    value = float(rows.sum.sum()) if found.known else None
    return [
        Part(value=value, coverage=found.coverage, n_devices=found.n_devices, notes=found.notes, reason=found.reason)
    ]
