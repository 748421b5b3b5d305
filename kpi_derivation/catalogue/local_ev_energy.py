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
METHOD = "charging-energy/1"


def derive(view: View) -> list[Part]:
    """One part, without a name."""
    rows = sessions(view)
    coverage, seen, notes = reporting(rows)
    value = float(rows.sum.sum()) if seen else None
    return [Part(value=value, coverage=coverage, n_devices=seen, notes=notes)]
