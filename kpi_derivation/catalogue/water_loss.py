"""EC:I:WS:3C Water Supply Loss: (supplied - billed) / supplied, %. Numerator and denominator are unconfirmed.

Supply and customers' meters are distinguished by `role` in the registry. The use of a customer whose meter is not read
would look like a loss, so there is no value unless all meters (`water_meters`) are registered and read.
"""

from __future__ import annotations

from kpi_derivation.engine.view import Part, View
from kpi_derivation.rules.metering.meters import Counted
from kpi_derivation.rules.metering.water import billed, supplied, volume
from kpi_derivation.rules.reasons import Why, low, no_device, setting, undefined

CODE = "EC:I:WS:3C"
METHOD = "water-balance/2 (unconfirmed formula)"
REGION = "ratio"


def derive(view: View) -> list[Part]:
    """One part, without a name."""
    into, out = volume(view, supplied), volume(view, billed)
    coverage = min(into.coverage, out.coverage)
    n, why = into.n_devices + out.n_devices, _why_not(view, into, out)
    if why.missing:
        return [Part(value=None, coverage=coverage, n_devices=n, notes=why.text, reason=why.reason)]
    notes = "more was billed than supplied" if out.amount > into.amount else ""
    lost, into_net = into.amount - out.amount, into.amount
    value = 100.0 * lost / into_net
    return [Part(value=value, coverage=coverage, n_devices=n, notes=notes, numerator=lost, denominator=into_net)]


def _why_not(view: View, into: Counted, out: Counted) -> Why:
    rule, total = view.city.rules.period_capture, view.city.city.water_meters
    for v, name in ((into, 'role = "supply"'), (out, "of customers")):
        if not v.registered:
            return no_device(f"no water meter {name} is registered")
        if v.coverage < rule:
            return low(v.coverage, rule, f"meter-time coverage of the meters {name}")
    if total is None:
        return setting(view, "water_meters")
    if out.registered < total:
        text = f"{out.registered} of {total:g} customers' meters are registered; unread use would look like loss"
        return Why(text, "low_coverage")
    return Why() if into.amount > 0 else undefined("nothing was supplied in the period")
