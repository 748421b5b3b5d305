"""LOCAL:E:SELF_CONSUMPTION: share of the generated electricity that was used on the spot, %.

(generated - exported) / generated, over the meters with `role = "generation"` and all export registers.
"""

from __future__ import annotations

from kpi_derivation.catalogue import local_kpi
from kpi_derivation.engine.view import Part, View
from kpi_derivation.rules.metering.energy import generates, metered
from kpi_derivation.rules.metering.generation import exported
from kpi_derivation.rules.reasons import low, no_data, no_device, undefined

KPI = local_kpi(
    "LOCAL:E:SELF_CONSUMPTION", "Self-consumption", "%", "Share of generated electricity used on the spot", "Energy"
)
METHOD = "self-consumption/2"
REGION = "ratio"


def derive(view: View) -> list[Part]:
    """One part, without a name."""
    made, out = metered(view, generates), exported(view)
    n = made.n_devices + out.others
    if not made.registered:
        why = no_device('no meter with role = "generation" is registered')
    elif not made.n_devices:
        why = no_data("no meter reading in the period")
    elif made.amount <= 0:
        why = undefined("nothing was generated in the period")
    elif not out.n_devices:
        none = no_device("no export register (energy_export_total)")
        why = no_data("no export register was read") if out.registered else none
    elif made.coverage < view.city.rules.period_capture:
        why = low(made.coverage, view.city.rules.period_capture)
    else:
        notes = "more was exported than generated" if out.kwh > made.amount else ""
        used = made.amount - out.kwh
        value = 100.0 * used / made.amount
        return [
            Part(
                value=value, coverage=made.coverage, n_devices=n, notes=notes, numerator=used, denominator=made.amount
            )
        ]  # fmt: skip
    return [Part(value=None, coverage=made.coverage, n_devices=n, notes=why.text, reason=why.reason)]
