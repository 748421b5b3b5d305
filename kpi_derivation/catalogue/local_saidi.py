"""LOCAL:ES:SAIDI: minutes without supply per customer served (IEEE 1366), with and without major event days.

Part `all` has every interruption; part `without_major_events` leaves out the days whose SAIDI exceeds T_MED, by the
2.5 beta method over the five years before. That part exists for years only, and where those years hold enough days.
The submission to the publisher is all-in (SAIDI itself is not one of its KPIs).
"""

from __future__ import annotations

from msgspec.structs import replace

from kpi_derivation.catalogue import local_kpi
from kpi_derivation.engine.view import Part, View
from kpi_derivation.rules.outages import (
    YEARS_BACK,
    Interruptions,
    interruptions,
    major_event_days,
    served,
    years_logged_before,
)
from kpi_derivation.rules.ratios import joined

KPI = replace(
    local_kpi("LOCAL:ES:SAIDI", "Time without electricity per customer", "minutes",
              "Customer minutes interrupted per customer served", "Electricity Supply"),
    parts=("all", "without_major_events"),
)  # fmt: skip
METHOD = "saidi/2 (2.5 beta; unconfirmed formula of T_MED)"
REGION = "ratio"
_LEAST_DAYS = 10  # days with interruptions from which a limit is taken; ours


def derive(view: View) -> list[Part]:
    """Two parts."""
    found, (customers, why) = interruptions(view), served(view)
    if not found.known or customers is None:
        notes, reason = (found.notes, found.reason) if not found.known else (why, "missing_setting")
        return [
            Part(part=p, value=None, coverage=found.coverage, n_devices=found.n_devices, notes=notes, reason=reason)
            for p in KPI.parts
        ]
    value = found.minutes / customers
    n, coverage = found.n_devices, found.coverage
    return [
        Part(
            part="all",
            value=value,
            coverage=coverage,
            n_devices=n,
            notes=found.notes,
            reason=found.reason,
            numerator=found.minutes,
            denominator=customers,
        ),
        _without(view, value, customers, found),
    ]


def _without(view: View, saidi: float, customers: float, found: Interruptions) -> Part:
    name, n, coverage, reason = "without_major_events", found.n_devices, found.coverage, found.reason
    if view.period.kind != "year":
        why = "major event days are calculated for years only"
        return Part(part=name, value=None, coverage=coverage, n_devices=n, notes=why, reason="not_for_period")
    limit, above, days = major_event_days(view, customers)
    if days < _LEAST_DAYS:
        why = f"{days} days with interruptions in the five years before; T_MED needs {_LEAST_DAYS}"
        return Part(part=name, value=None, coverage=coverage, n_devices=n, notes=why, reason="low_coverage")
    logged = years_logged_before(view)
    of = f" of {logged:.1f} logged years, of five" if logged < YEARS_BACK - 0.01 else ""
    what = f"T_MED {limit:.4g} min from {days} days{of}; {len(above)} major event days"
    value, notes = saidi - float(above.sum()), joined(what, found.notes)
    return Part(
        part=name, value=value, coverage=coverage, n_devices=n, notes=notes, reason=reason,
        numerator=value * customers, denominator=customers,
    )  # fmt: skip
