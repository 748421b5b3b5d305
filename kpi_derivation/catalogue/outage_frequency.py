"""EC:I:ES:1C Electricity System Outage Frequency: customer interruptions / customers served (SAIFI, p75).

All events are in it, major ones too: the publisher excludes none. Over less than a year it is the period's figure.
Inside the time that was logged a silent log means that nothing happened; outside it there is no value.
"""

from __future__ import annotations

from kpi_derivation.engine.view import Part, View
from kpi_derivation.rules.outages import interruptions, served

CODE = "EC:I:ES:1C"
METHOD = "saifi/2"
REGION = "ratio"


def derive(view: View) -> list[Part]:
    """One part, without a name."""
    found, (customers, why) = interruptions(view), served(view)
    unit = None if view.is_year else "interruptions/customer in the period"
    n, reason = found.n_devices, found.reason
    if not found.known or customers is None:
        notes, reason = (found.notes, reason) if not found.known else (why, "missing_setting")
        return [Part(value=None, coverage=found.coverage, n_devices=n, notes=notes, unit=unit, reason=reason)]
    value = found.customers / customers
    return [
        Part(
            value=value, coverage=found.coverage, n_devices=n, notes=found.notes, unit=unit, reason=reason,
            numerator=found.customers, denominator=customers,
        )
    ]  # fmt: skip
