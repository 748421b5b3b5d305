"""EC:ICT:ES:3A Demand Response Penetration: customers able to take part / electricity customers, %.

Numerator and denominator are unconfirmed. Able to take part are the customers behind the meters and chargers whose
[[device]] entry has `demand_response = true` (`customers` of each), or `demand_response_customers` of [city] where
that is given. All customers: `electricity_customers` in [city].
"""

from __future__ import annotations

import numpy as np

from kpi_derivation.engine.view import Part, View
from kpi_derivation.rules.charging import CHARGERS
from kpi_derivation.rules.metering.energy import METERS
from kpi_derivation.rules.reasons import setting
from registry.city import Device, DeviceKind

CODE = "EC:ICT:ES:3A"
METHOD = "demand-response-registry/1 (unconfirmed formula)"
REGION = "ratio"
_KINDS: tuple[DeviceKind, ...] = METERS + CHARGERS


def derive(view: View) -> list[Part]:
    """One part, without a name."""
    devices = view.devices(_KINDS)
    able = [devices[i] for i in np.flatnonzero(view.picked(devices, "demand response", _able)).tolist()]
    view.mark(able, [True] * len(able))
    declared, total = view.city.city.demand_response_customers, view.city.city.electricity_customers
    customers = sum(d.customers for d in able) if declared is None else declared
    if total is None:
        why = setting(view, "electricity_customers")
        return [Part(value=None, coverage=0.0, n_devices=len(able), notes=why.text, reason=why.reason)]
    if declared is None and not able:
        notes = "no device says demand_response = true; set demand_response_customers in [city] if there are none"
        return [Part(value=None, coverage=0.0, n_devices=0, notes=notes, reason="missing_setting")]
    notes = "more customers than electricity_customers says" if customers > total else ""
    value, n = 100.0 * customers / total, len(able)
    return [Part(value=value, coverage=1.0, n_devices=n, notes=notes, numerator=customers, denominator=total)]


def _able(device: Device) -> bool:
    return device.demand_response
