"""EC:ICT:WS:1C Smart Water Meters: smart water meters / all water meters, %. The formula is unconfirmed.

From the registry, as for electricity: a meter is smart unless its [[device]] entry has `smart = false`. Meters of
water supplied into the network are not customers' meters and do not count. All meters: `water_meters` in [city].
"""

from __future__ import annotations

from kpi_derivation.engine.view import Part, View
from kpi_derivation.rules.metering.water import METERS, billed

CODE = "EC:ICT:WS:1C"
METHOD = "smart-water-meters-registry/1 (unconfirmed formula)"
REGION = "ratio"


def derive(view: View) -> list[Part]:
    """One part, without a name."""
    view.follows("water_total")
    meters = view.devices(METERS)
    counts = [d.smart and billed(d) for d in meters]
    view.mark(meters, counts)
    smart = sum(counts)
    total = view.city.city.water_meters
    if total is None:
        notes = f"set water_meters (all meters installed) in [city]; {smart} smart meters are registered"
        return [Part(value=None, coverage=0.0, n_devices=smart, notes=notes, reason="missing_setting")]
    notes = "more smart meters are registered than water_meters says" if smart > total else ""
    value = 100.0 * smart / total
    return [Part(value=value, coverage=1.0, n_devices=smart, notes=notes, numerator=float(smart), denominator=total)]
