"""EN:EN:AQ:2C GHG Emissions: tonnes CO2e per inhabitant; here the part that meters measure, scope 2, location based.

Energy drawn from the grid times the grid's average emission factor of the area and year (GHG Protocol, scope 2
guidance), whatever contract a customer has; generation behind the meter counts as zero. Heat, fuels, waste and
industry are not in it: the value is marked partial. Charging is added to the meters' energy only where the rule
`charging_behind_meters` is false, or where no electricity meter is registered; else it would count twice.
"""

from __future__ import annotations

from kpi_derivation.engine.view import Part, View
from kpi_derivation.rules.charging import reporting, sessions
from kpi_derivation.rules.emissions import factor
from kpi_derivation.rules.metering.energy import metered
from kpi_derivation.rules.ratios import joined
from kpi_derivation.rules.reasons import Why, low, no_data, no_device, not_set, setting
from telemetry.kpi_value import Reason

CODE = "EN:EN:AQ:2C"
METHOD = "ghg-electricity-location-based/2 (partial; unconfirmed formula)"
REGION = "ratio"


def derive(view: View) -> list[Part]:
    """One part, without a name."""
    m, charged = metered(view), sessions(view)
    unit = None if view.is_year else "tonnes eCO2/capita in the period"
    apart = not m.registered or not view.city.rules.charging_behind_meters
    charging = float(charged.sum.sum()) if apart else 0.0
    chargers = reporting(view, charged, counts=False)
    view.mark(charged.devices, (charged.n > 0) & apart)
    coverage = m.coverage if m.registered else chargers.coverage
    n = m.n_devices + (int((charged.n > 0).sum()) if apart else 0)
    partial = not m.registered and chargers.reason == "partial_period"
    rule, (kg_per_kwh, which) = view.city.rules.period_capture, factor(view)
    why = Why() if n else no_data("no metered electricity and no charging in the period")
    if not m.registered and chargers.reason == "no_device":
        why = no_device("no electricity meter and no charger is registered")
    if not why.missing and m.registered and m.coverage < rule:
        why = low(m.coverage, rule)
    if not why.missing:
        why = setting(view, "population")
    if not why.missing and kg_per_kwh is None:
        why = not_set(which)
    if why.missing or kg_per_kwh is None:
        return [
            Part(
                value=None,
                coverage=coverage,
                n_devices=n,
                notes=joined(_PARTIAL, why.text),
                unit=unit,
                reason=why.reason,
            )
        ]
    tonnes = (m.amount + charging) * kg_per_kwh / 1000.0
    notes = joined(_PARTIAL, which, f"charging {charging:g} kWh added to the meters' {m.amount:g} kWh" if apart else "")
    people = view.city.city.population or 1.0
    reason: Reason = "partial_period" if partial else ""
    return [
        Part(
            value=tonnes / people, coverage=coverage, n_devices=n, notes=notes, unit=unit, reason=reason,
            numerator=tonnes, denominator=people,
        )
    ]  # fmt: skip


_PARTIAL = "partial: metered electricity only, scope 2, location based"
