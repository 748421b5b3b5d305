"""EN:E:E:4A Public Building Energy Consumption: kWh of all carriers per m² of floor and year (formula unconfirmed).

Electricity and heat meters with `role = "public_building"` over `public_building_area_m2` of [city], which must be the
floor area of the buildings that these meters serve. Over less than a year it is the period's energy.
"""

from __future__ import annotations

from kpi_derivation.engine.view import Part, View
from kpi_derivation.rules.metering.energy import metered
from kpi_derivation.rules.metering.heat import heat
from kpi_derivation.rules.reasons import low, no_device, setting
from registry.city import Device

CODE = "EN:E:E:4A"
METHOD = "public-building-energy/2 (unconfirmed formula)"
REGION = "ratio"


def derive(view: View) -> list[Part]:
    """One part, without a name."""
    both, rule = (metered(view, _public), heat(view, _public)), view.city.rules.period_capture
    registered, seen = sum(m.registered for m in both), sum(m.n_devices for m in both)
    coverage = sum(m.coverage * m.registered for m in both) / registered if registered else 0.0
    unit = None if view.is_year else "ekWh/m2"
    if not registered:
        why = no_device('no meter with role = "public_building" is registered')
    elif not seen or coverage < rule:
        why = low(coverage, rule)
    else:
        why = setting(view, "public_building_area_m2")
    kwh, area = sum(m.amount for m in both), view.city.city.public_building_area_m2 or 1.0
    value = None if why.missing else kwh / area
    return [
        Part(
            value=value, coverage=coverage, n_devices=seen, notes=why.text, unit=unit, numerator=kwh, denominator=area,
            reason=why.reason,
        )
    ]  # fmt: skip


def _public(device: Device) -> bool:
    return device.role == "public_building"
