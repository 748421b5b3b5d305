"""EN:EN:WS:2C Water Consumption: litres a day and inhabitant. Unit and formula are unconfirmed.

What the customers' meters counted in the period, by the days that have passed of it. Unmetered use is not estimated:
the coverage shows how many of the city's meters (`water_meters`) are read.
"""

from __future__ import annotations

from kpi_derivation.engine.view import HOUR_MS, Part, View
from kpi_derivation.rules.metering.meters import Counted
from kpi_derivation.rules.metering.water import billed, volume
from kpi_derivation.rules.ratios import joined
from kpi_derivation.rules.reasons import Why, low, no_data, no_device, setting

CODE = "EN:EN:WS:2C"
METHOD = "water-per-capita/2 (unconfirmed unit and formula)"
REGION = "ratio"


def derive(view: View) -> list[Part]:
    """One part, without a name."""
    v = volume(view, billed)
    share, note = _meter_share(view, v.registered)
    coverage, why = v.coverage * share, _why_not(view, v)
    if why.missing:
        n = v.n_devices
        return [Part(value=None, coverage=coverage, n_devices=n, notes=why.text, reason=why.reason)]
    days = view.expected_ms / (24 * HOUR_MS)
    daily, people = 1000.0 * v.amount / days, view.city.city.population or 1.0
    return [
        Part(
            value=daily / people, coverage=coverage, n_devices=v.n_devices, notes=joined(note), numerator=daily,
            denominator=people,
        )
    ]  # fmt: skip


def _why_not(view: View, v: Counted) -> Why:
    rule = view.city.rules.period_capture
    if not v.n_devices:
        none = no_device("no customers' water meter is registered")
        return no_data("no meter reading in the period") if v.registered else none
    if v.coverage < rule:
        return low(v.coverage, rule)
    return setting(view, "population")


def _meter_share(view: View, registered: int) -> tuple[float, str]:
    total = view.city.city.water_meters
    if total is None:
        return 1.0, "coverage of registered meters only: water_meters is not set in [city]"
    return min(registered / total, 1.0), f"{registered} of {total:g} meters are registered"
