"""LOCAL:EV:PER_CAPITA: energy of the charging sessions that began in the period per inhabitant, kWh."""

from __future__ import annotations

from kpi_derivation.catalogue import local_kpi
from kpi_derivation.engine.view import Part, View
from kpi_derivation.rules.charging import reporting, sessions
from kpi_derivation.rules.ratios import missing
from telemetry.kpi_value import Reason

KPI = local_kpi(
    "LOCAL:EV:PER_CAPITA",
    "EV charging energy per inhabitant",
    "kWh/capita",
    "Energy of all charging sessions that began in the period, per inhabitant",
    "EV charging",
)
METHOD = "charging-energy-per-capita/2"
REGION = "ratio"


def derive(view: View) -> list[Part]:
    """One part, without a name."""
    rows = sessions(view)
    found, why = reporting(view, rows), missing(view, "population")
    reason: Reason = "missing_setting" if found.known and why else found.reason
    notes = why if found.known and why else found.notes
    kwh, people = float(rows.sum.sum()), view.city.city.population or 1.0
    value = kwh / people if found.known and not why else None
    return [
        Part(
            value=value, coverage=found.coverage, n_devices=found.n_devices, notes=notes, reason=reason,
            numerator=kwh, denominator=people,
        )
    ]  # fmt: skip
