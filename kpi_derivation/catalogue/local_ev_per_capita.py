"""LOCAL:EV:PER_CAPITA: energy of the charging sessions that began in the period per inhabitant, kWh."""

from __future__ import annotations

from kpi_derivation.catalogue import local_kpi
from kpi_derivation.engine.view import Part, View
from kpi_derivation.rules.charging import reporting, sessions
from kpi_derivation.rules.ratios import missing

KPI = local_kpi(
    "LOCAL:EV:PER_CAPITA",
    "EV charging energy per inhabitant",
    "kWh/capita",
    "Energy of all charging sessions that began in the period, per inhabitant",
    "EV charging",
)
METHOD = "charging-energy-per-capita/1"


def derive(view: View) -> list[Part]:
    """One part, without a name."""
    rows = sessions(view)
    coverage, seen, notes = reporting(rows)
    why = missing(view, "population")
    value = float(rows.sum.sum()) / (view.city.city.population or 1.0) if seen and not why else None
    return [Part(value=value, coverage=coverage, n_devices=seen, notes=why if seen and why else notes)]
