"""LOCAL:ES:SAIDI: minutes without supply per customer served (IEEE 1366), with and without major event days.

Part `all` has every interruption; part `without_major_events` leaves out the days whose SAIDI exceeds T_MED, by the
2.5 beta method over the five years before. That part exists for years only, and where those years hold enough days.
The submission to the publisher is all-in (SAIDI itself is not one of its KPIs).
"""

from __future__ import annotations

from msgspec.structs import replace

from kpi_derivation.catalogue import local_kpi
from kpi_derivation.engine.view import Part, View
from kpi_derivation.rules.outages import interruptions, logging, major_event_days, served
from kpi_derivation.rules.ratios import joined

KPI = replace(
    local_kpi("LOCAL:ES:SAIDI", "Time without electricity per customer", "minutes",
              "Customer minutes interrupted per customer served", "Electricity Supply"),
    parts=("all", "without_major_events"),
)  # fmt: skip
METHOD = "saidi/1 (2.5 beta; unconfirmed formula of T_MED)"
_LEAST_DAYS = 10  # days with interruptions from which a limit is taken; ours


def derive(view: View) -> list[Part]:
    """Two parts."""
    found, (customers, why) = interruptions(view), served(view)
    if not logging(view):
        why = "no outage log and no meter that reports power failures is registered"
    if why or customers is None:
        return [Part(part=p, value=None, coverage=0.0, n_devices=found.n_devices, notes=why) for p in KPI.parts]
    value = found.minutes / customers
    return [
        Part(part="all", value=value, coverage=1.0, n_devices=found.n_devices, notes=found.notes),
        _without(view, value, customers, found.n_devices, found.notes),
    ]


def _without(view: View, saidi: float, customers: float, n: int, notes: str) -> Part:
    name = "without_major_events"
    if view.period.kind != "year":
        return Part(part=name, value=None, coverage=1.0, n_devices=n, notes="major event days are told for years")
    limit, above, days = major_event_days(view, customers)
    if days < _LEAST_DAYS:
        why = f"{days} days with interruptions in the five years before; T_MED needs {_LEAST_DAYS}"
        return Part(part=name, value=None, coverage=1.0, n_devices=n, notes=why)
    what = f"T_MED {limit:.4g} min from {days} days; {len(above)} major event days"
    value = saidi - float(above.sum())
    return Part(part=name, value=value, coverage=1.0, n_devices=n, notes=joined(what, notes))
