"""EN:E:E:2C Electricity Consumption: metered kWh per inhabitant.

Numerator and denominator of the publisher's formula are unconfirmed; the unit kWh/yr/capita is from a secondary
source. Over a year (or the rolling 365 days) it is the metered energy divided by the population; over a shorter period
it is that period's energy per inhabitant, not annualised, and its unit states this. Unmetered customers are not
estimated: the coverage shows how much of the city is metered. Where the rule `estimate_unmetered` is set and
`electricity_customers` of [city] states how many there are, they count with the mean of the metered ones, and the value
is labelled as estimated.
"""

from __future__ import annotations

from kpi_derivation.engine.view import Part, View
from kpi_derivation.rules.metering.energy import metered
from kpi_derivation.rules.metering.meters import Counted
from kpi_derivation.rules.ratios import joined
from kpi_derivation.rules.reasons import low, no_data, no_device, not_set, setting

CODE = "EN:E:E:2C"
METHOD = "electricity-per-capita/2 (unconfirmed formula)"
REGION = "ratio"


def derive(view: View) -> list[Part]:
    """One part, without a name."""
    m, city = metered(view), view.city.city
    unit = None if view.is_year else "kWh/capita"
    share, share_note = _meter_share(view, m.registered)
    estimated, how = _with_unmetered(view, m)
    coverage, rule = m.coverage * share, view.city.rules.period_capture
    if not m.n_devices:
        why = (
            no_data("no meter reading in the period")
            if m.registered
            else no_device("no electricity meter is registered")
        )
    elif city.population is None:
        why = setting(view, "population")
    elif m.coverage < rule:
        why = low(m.coverage, rule)
    elif estimated is None:
        why = not_set(how)
    else:
        notes, value, people = joined(share_note, how, m.notes), estimated / city.population, city.population
        return [
            Part(
                value=value, coverage=coverage, n_devices=m.n_devices, notes=notes, unit=unit, numerator=estimated,
                denominator=people,
            )
        ]  # fmt: skip
    return [Part(value=None, coverage=coverage, n_devices=m.n_devices, notes=why.text, unit=unit, reason=why.reason)]


def _with_unmetered(view: View, m: Counted) -> tuple[float | None, str]:
    """kWh of the metered customers, by the rule of all; and its note. None where that cannot be estimated."""
    if not view.city.rules.estimate_unmetered:
        return m.amount, ""
    total = view.city.city.electricity_customers
    if total is None or not m.customers:
        return None, "set electricity_customers in [city], or estimate_unmetered = false in [rules]"
    if total < m.customers:
        return None, f"electricity_customers {total:g} is less than the {m.customers:g} customers that are metered"
    label = f"estimated: {m.customers:g} of {total:g} customers are metered, the others count with their mean"
    return m.amount * total / m.customers, label


def _meter_share(view: View, registered: int) -> tuple[float, str]:
    """Share of the city's meters that are registered; 1 and a note where their number is not set."""
    total = view.city.city.electricity_meters
    if total is None:
        return 1.0, "coverage of registered meters only: electricity_meters is not set in [city]"
    return min(registered / total, 1.0), f"{registered} of {total:g} meters are registered"
