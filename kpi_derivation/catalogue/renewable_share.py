"""EN:E:E:1C Renewable Energy Consumption: renewable / all energy used, %. The formula is unconfirmed.

Only electricity is metered, so the value is partial. Renewable is what generation meters (`role = "generation"`)
counted and was not exported, and the renewable share of the grid's electricity (`renewable_grid_share` in [city], a
dated figure); all electricity used is what was drawn from the grid and the self-consumed generation. Where the rule
`generation_in_load` states that the meters measure all use, own generation included, it is not added twice. With
generation meters only hours count in which all meters are whole (`rules/metering/balance.py`).
"""

from __future__ import annotations

from kpi_derivation.engine.view import Part, View
from kpi_derivation.rules.metering.balance import Balanced, balanced
from kpi_derivation.rules.metering.energy import generates, metered
from kpi_derivation.rules.metering.generation import exported
from kpi_derivation.rules.ratios import joined
from kpi_derivation.rules.reasons import low, no_data, no_device, not_set, undefined

CODE = "EN:E:E:1C"
METHOD = "renewable-electricity-share/3 (partial; unconfirmed formula)"
REGION = "ratio"
_PARTIAL = "partial: electricity only"


def derive(view: View) -> list[Part]:
    """One part, without a name."""
    drawn, made, share = metered(view), metered(view, generates), view.city.city.renewable_grid_share
    exported(view, counts=False)
    found = balanced(view) if made.registered else Balanced(drawn.amount, 0.0, 0.0, drawn.coverage, "")
    own = found.own
    within = view.city.rules.generation_in_load
    n, used = drawn.n_devices + made.n_devices, found.drawn + (0.0 if within else own)
    rule = view.city.rules.period_capture
    if not drawn.registered:
        why = no_device("no electricity meter is registered")
    elif not drawn.n_devices:
        why = no_data("no metered electricity in the period")
    elif found.coverage < rule:
        why = low(found.coverage, rule, "hours of whole meters" if made.registered else "meter-time coverage")
    elif used <= 0:
        why = undefined("no electricity was used in the period")
    elif share is None and not made.registered:
        why = not_set('set renewable_grid_share in [city], or register meters with role = "generation"')
    else:
        grid = "renewable_grid_share is not set in [city]: the grid counts as 0" if share is None else ""
        renewable = own + (share or 0.0) * (used - own)
        value, notes = 100.0 * renewable / used, joined(_PARTIAL, grid, found.notes)
        return [
            Part(
                value=value, coverage=found.coverage, n_devices=n, notes=notes, numerator=renewable, denominator=used
            )
        ]  # fmt: skip
    return [Part(value=None, coverage=found.coverage, n_devices=n, notes=joined(_PARTIAL, why.text), reason=why.reason)]
