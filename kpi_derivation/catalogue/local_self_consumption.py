"""LOCAL:E:SELF_CONSUMPTION: share of the generated electricity that was used on the spot, %.

(generated - exported) / generated, over the meters with `role = "generation"` and all export registers, of the hours in
which all of them are whole (`rules/metering/balance.py`).
"""

from __future__ import annotations

from kpi_derivation.catalogue import local_kpi
from kpi_derivation.engine.view import Part, View
from kpi_derivation.rules.metering.balance import balanced
from kpi_derivation.rules.metering.energy import generates, metered
from kpi_derivation.rules.metering.generation import exported
from kpi_derivation.rules.ratios import joined
from kpi_derivation.rules.reasons import low, no_data, no_device, undefined, without_value

KPI = local_kpi(
    "LOCAL:E:SELF_CONSUMPTION", "Self-consumption", "%", "Share of generated electricity used on the spot", "Energy"
)
METHOD = "self-consumption/3"
REGION = "ratio"


def derive(view: View) -> list[Part]:
    """One part, without a name."""
    made, out = metered(view, generates), exported(view)
    n, found, rule = made.n_devices + out.others, balanced(view, with_use=False), view.city.rules.period_capture
    if not made.registered:
        why = no_device('no meter with role = "generation" is registered')
    elif not made.n_devices:
        why = no_data("no meter reading in the period")
    elif not out.n_devices:
        none = no_device("no export register (energy_export_total)")
        why = no_data("no export register was read") if out.registered else none
    elif found.coverage < rule:
        why = low(found.coverage, rule, "hours of whole meters")
    elif found.made <= 0:
        why = undefined("nothing was generated in the period")
    else:
        notes = joined("more was exported than generated" if found.out > found.made else "", found.notes)
        used = found.made - found.out
        return [
            Part(
                value=100.0 * used / found.made, coverage=found.coverage, n_devices=n, notes=notes, numerator=used,
                denominator=found.made,
            )
        ]  # fmt: skip
    return [without_value(why, found.coverage, n)]
