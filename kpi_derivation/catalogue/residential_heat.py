"""EN:E:E:3C Residential Thermal Energy Consumption: GJ per inhabitant and year. The formula is unconfirmed.

Heat meters of homes (every heat meter whose `role` is not another one) over the population. Homes that heat without
such a meter are not in it: the value is marked as partial. Over less than a year it is the period's heat.
"""

from __future__ import annotations

from kpi_derivation.engine.view import Part, View
from kpi_derivation.rules.metering.heat import GJ_PER_KWH, heat
from kpi_derivation.rules.ratios import joined
from kpi_derivation.rules.reasons import low, no_data, no_device, setting
from registry.city import Device

CODE = "EN:E:E:3C"
METHOD = "residential-heat/2 (partial; unconfirmed formula)"
REGION = "ratio"
_PARTIAL = "partial: homes with a registered heat meter only"


def derive(view: View) -> list[Part]:
    """One part, without a name."""
    h, rule = heat(view, _residential), view.city.rules.period_capture
    unit = None if view.is_year else "GJ/capita"
    if not h.n_devices:
        none = no_device("no residential heat meter is registered")
        why = no_data("no heat reading in the period") if h.registered else none
    elif h.coverage < rule:
        why = low(h.coverage, rule)
    else:
        why = setting(view, "population")
    gj, people, notes = h.amount * GJ_PER_KWH, view.city.city.population or 1.0, joined(_PARTIAL, why.text)
    value = None if why.missing else gj / people
    return [
        Part(
            value=value, coverage=h.coverage, n_devices=h.n_devices, notes=notes, unit=unit, numerator=gj,
            denominator=people, reason=why.reason,
        )
    ]  # fmt: skip


def _residential(device: Device) -> bool:
    return device.role in ("", "residential")
