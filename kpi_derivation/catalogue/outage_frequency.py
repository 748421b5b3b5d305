"""EC:I:ES:1C Electricity System Outage Frequency: customer interruptions / customers served (SAIFI, p75).

All events are in it, major ones too: the publisher excludes none. Over less than a year it is the period's figure. Time
of the logs is taken as complete: a log that is silent says that nothing happened.
"""

from __future__ import annotations

from kpi_derivation.engine.view import Part, View
from kpi_derivation.rules.outages import interruptions, logging, served
from kpi_derivation.rules.ratios import joined

CODE = "EC:I:ES:1C"
METHOD = "saifi/1"


def derive(view: View) -> list[Part]:
    """One part, without a name."""
    found, (customers, why) = interruptions(view), served(view)
    if not logging(view):
        why = "no outage log and no meter that reports power failures is registered"
    if why or customers is None:
        return [Part(value=None, coverage=0.0, n_devices=found.n_devices, notes=why)]
    unit = None if view.is_year else "interruptions/customer in the period"
    value = found.customers / customers
    return [Part(value=value, coverage=1.0, n_devices=found.n_devices, notes=joined(found.notes), unit=unit)]
