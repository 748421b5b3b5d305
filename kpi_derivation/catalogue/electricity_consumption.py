"""EN:E:E:2C Electricity Consumption: metered kWh per inhabitant.

Numerator and denominator of the publisher's formula are unconfirmed; the unit kWh/yr/capita is from a secondary
source. Over a year (or the rolling 365 days) it is the metered energy divided by the population; over a shorter period
it is that period's energy per inhabitant, not annualised, and says so in its unit. Unmetered customers are not
estimated: the coverage says how much of the city the meters see.
"""

from __future__ import annotations

from kpi_derivation.energy import METERS, QUANTITIES, metered
from kpi_derivation.view import Part, View

__all__ = ["KINDS", "QUANTITIES", "derive"]

CODE = "EN:E:E:2C"
METHOD = "electricity-per-capita/1 (unconfirmed formula)"
KINDS = METERS


def derive(view: View) -> list[Part]:
    """One part, without a name."""
    m = metered(view)
    unit = None if view.is_year else "kWh/capita"
    share, share_note = _meter_share(view, m.registered)
    coverage = m.coverage * share
    population = view.city.city.population
    rule = view.city.rules.period_capture
    if not m.n_devices:
        why = "no meter reading in the period" if m.registered else "no electricity meter is registered"
    elif population is None:
        why = "set population in [city]"
    elif m.coverage < rule:
        why = f"meter-time coverage {100 * m.coverage:.2f} % under {100 * rule:g} %"
    else:
        notes = "; ".join(filter(None, (share_note, m.notes)))
        return [Part(value=m.kwh / population, coverage=coverage, n_devices=m.n_devices, notes=notes, unit=unit)]
    return [Part(value=None, coverage=coverage, n_devices=m.n_devices, notes=why, unit=unit)]


def _meter_share(view: View, registered: int) -> tuple[float, str]:
    """Share of the city's meters that are registered; 1 and a note where the city does not say how many there are."""
    total = view.city.city.electricity_meters
    if total is None:
        return 1.0, "coverage of registered meters only: electricity_meters is not set in [city]"
    return min(registered / total, 1.0), f"{registered} of {total:g} meters are registered"
