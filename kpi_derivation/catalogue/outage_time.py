"""EC:I:ES:2C Electricity System Outage Time: customer minutes / customer interruptions (CAIDI, p76), minutes.

It is not SAIDI: it says how long an interruption was, not how long a customer was without supply. Without any
interruption it does not exist.
"""

from __future__ import annotations

from kpi_derivation.engine.view import Part, View
from kpi_derivation.rules.outages import interruptions, logging
from kpi_derivation.rules.ratios import joined

CODE = "EC:I:ES:2C"
METHOD = "caidi/1"


def derive(view: View) -> list[Part]:
    """One part, without a name."""
    found = interruptions(view)
    if not logging(view):
        why = "no outage log and no meter that reports power failures is registered"
        return [Part(value=None, coverage=0.0, n_devices=0, notes=why)]
    if not found.customers:
        why = f"no customer was interrupted; {found.notes}"
        return [Part(value=None, coverage=1.0, n_devices=found.n_devices, notes=why)]
    value = found.minutes / found.customers
    return [Part(value=value, coverage=1.0, n_devices=found.n_devices, notes=joined(found.notes, _SHOW_BOTH))]


_SHOW_BOTH = "a shorter mean interruption can go with more time without supply: see LOCAL:ES:SAIDI"
