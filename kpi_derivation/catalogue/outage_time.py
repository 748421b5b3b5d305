"""EC:I:ES:2C Electricity System Outage Time: customer minutes / customer interruptions (CAIDI, p76), minutes.

It is not SAIDI: it is how long an interruption was, not how long a customer was without supply. Without any
interruption it does not exist.
"""

from __future__ import annotations

from kpi_derivation.engine.view import Part, View
from kpi_derivation.rules.outages import interruptions
from kpi_derivation.rules.ratios import joined

CODE = "EC:I:ES:2C"
METHOD = "caidi/2"
REGION = "ratio"


def derive(view: View) -> list[Part]:
    """One part, without a name."""
    found = interruptions(view)
    coverage, n, reason = found.coverage, found.n_devices, found.reason
    if not found.known:
        return [Part(value=None, coverage=coverage, n_devices=n, notes=found.notes, reason=reason)]
    if not found.customers:
        why = f"no customer was interrupted; {found.notes}"
        return [Part(value=None, coverage=coverage, n_devices=n, notes=why, reason=reason or "undefined")]
    value = found.minutes / found.customers
    return [
        Part(
            value=value, coverage=coverage, n_devices=n, notes=joined(found.notes, _SHOW_BOTH), reason=reason,
            numerator=found.minutes, denominator=found.customers,
        )
    ]  # fmt: skip


_SHOW_BOTH = "a shorter mean interruption can go with more time without supply: see LOCAL:ES:SAIDI"
