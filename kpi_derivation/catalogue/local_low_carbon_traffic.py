"""LOCAL:T:LOW_CARBON: low-carbon passenger vehicles / passenger vehicles of a known class that counters saw, %.

The publisher's EC:I:T:8A is of the vehicle register; classifying counters (plate or camera) see the vehicles in use,
those of visitors too, so this value stands beside it and never in its place.
"""

from __future__ import annotations

import numpy as np

from kpi_derivation.catalogue import local_kpi
from kpi_derivation.engine.view import Part, View
from kpi_derivation.rules.reasons import reason_for
from registry.city import DeviceKind

KPI = local_kpi(
    "LOCAL:T:LOW_CARBON", "Low-carbon vehicles in traffic", "%",
    "Share of low-carbon vehicles among the classified passenger vehicles that traffic counters saw", "Transport",
)  # fmt: skip
METHOD = "classified-counts/1"
REGION = "ratio"
_COUNTERS: tuple[DeviceKind, ...] = ("traffic_counter",)


def derive(view: View) -> list[Part]:
    """One part, without a name."""
    low, known = (view.rows(q, _COUNTERS) for q in ("vehicles_low_carbon", "vehicles_classified"))
    cars, rule = float(known.sum.sum()), view.city.rules.period_capture
    capture = np.minimum(known.covered / view.expected_ms, 1.0) if view.expected_ms else np.zeros(len(known))
    coverage, n = float(capture.mean()) if len(capture) else 0.0, int((known.n > 0).sum())
    if not len(known) or not len(low):
        why = "no traffic counter that classifies vehicles is registered"
    elif not n:
        why = "no classified vehicle in the period"
    elif coverage >= rule:
        why = "" if cars else "nothing was classified"
    else:
        why = f"counter-time coverage {100 * coverage:.2f} % under {100 * rule:g} %"
    seen = float(low.sum.sum())
    value = None if why else 100.0 * seen / cars
    ratio = (None, None) if why else (seen, cars)
    return [
        Part(
            value=value,
            coverage=coverage,
            n_devices=n,
            notes=why,
            reason=reason_for(why),
            numerator=ratio[0],
            denominator=ratio[1],
        )
    ]
