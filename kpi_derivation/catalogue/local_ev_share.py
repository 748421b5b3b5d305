"""LOCAL:EV:SHARE: electric share of driving that the city's chargers account for, %. The formula is unconfirmed.

Energy of the charging sessions / the energy that all registered passenger vehicles (`passenger_vehicles` in [city])
would need in the same time if they were electric: each `electric_car_kwh_per_year` of the rules (13,000 km at 20 kWh
per 100 km), for the time in which the chargers were alive. Charging at homes that no registered charger sees is
missing and that of visitors is in it, so the value is partial; it stands beside EC:I:T:8A, which is of the vehicle
register, and never in its place.
"""

from __future__ import annotations

from kpi_derivation.catalogue import local_kpi
from kpi_derivation.engine.view import Part, View
from kpi_derivation.rules.charging import reporting, sessions
from kpi_derivation.rules.ratios import joined
from kpi_derivation.rules.reasons import Why, setting, undefined
from telemetry.windows import DAY

KPI = local_kpi(
    "LOCAL:EV:SHARE", "Electric driving, by charged energy", "%",
    "Energy of charging sessions as a share of what all registered passenger vehicles would need if electric",
    "EV charging",
)  # fmt: skip
METHOD = "charged-energy-share/1 (partial; unconfirmed formula)"
REGION = "ratio"
_PARTIAL = "partial: energy of the registered chargers only"
_YEAR = 365.0 * DAY


def derive(view: View) -> list[Part]:
    """One part, without a name."""
    rows, cars = sessions(view), view.city.city.passenger_vehicles or 0.0
    found, kwh = reporting(view, rows), float(rows.sum.sum())
    years = found.coverage * view.expected_ms / _YEAR
    needed = cars * view.city.rules.electric_car_kwh_per_year * years
    why = setting(view, "passenger_vehicles") if found.known else Why(found.notes, found.reason)
    if not why.missing and not needed:
        why = undefined("no time in which a charger was alive")
    value, reason = (None, why.reason) if why.missing else (100.0 * kwh / needed, found.reason)
    notes = joined(_PARTIAL, why.text or found.notes)
    return [
        Part(
            value=value, coverage=found.coverage, n_devices=found.n_devices, notes=notes, reason=reason,
            numerator=kwh, denominator=needed,
        )
    ]  # fmt: skip
