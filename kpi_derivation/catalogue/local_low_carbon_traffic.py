"""LOCAL:T:LOW_CARBON: low-carbon passenger vehicles / passenger vehicles of a known class that counters saw, %.

The publisher's EC:I:T:8A is of the vehicle register; classifying counters (plate or camera) see the vehicles in use,
those of visitors too, so this value stands beside it and never in its place.
"""

from __future__ import annotations

from kpi_derivation.catalogue import local_kpi
from kpi_derivation.engine.view import Part, View
from kpi_derivation.rules.presence import captures_of_time
from kpi_derivation.rules.reasons import low, no_data, no_device, undefined, without_value
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
    few, known = (view.rows(q, _COUNTERS) for q in ("vehicles_low_carbon", "vehicles_classified"))
    cars, rule = float(known.sum.sum()), view.city.rules.period_capture
    coverage, n = captures_of_time(view, known)[1], int((known.n > 0).sum())
    if not len(known) or not len(few):
        why = no_device("no traffic counter that classifies vehicles is registered")
    elif not n:
        why = no_data("no classified vehicle in the period")
    elif coverage < rule:
        why = low(coverage, rule, "counter-time coverage")
    elif not cars:
        why = undefined("nothing was classified")
    else:
        seen = float(few.sum.sum())
        return [Part(value=100.0 * seen / cars, coverage=coverage, n_devices=n, numerator=seen, denominator=cars)]
    return [without_value(why, coverage, n)]
