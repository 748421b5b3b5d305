"""From a derivation's parts to KPI values with status, and when a changed value is a new revision. Pure."""

from __future__ import annotations

import msgspec

from kpi_derivation.catalogue import Derivation
from kpi_derivation.view import Part, View
from telemetry.city import Rules
from telemetry.kpi_value import KpiValue, Status, StoredKpi
from telemetry.periods import Period
from telemetry.windows import HOUR


def status_of(value: float | None, period: Period, rules: Rules, now: int) -> Status:
    """`insufficient` without a value; `final` once the period ended `final_after_h` hours ago; else `provisional`."""
    if value is None:
        return "insufficient"
    rolling = period.kind in ("24h", "365d")
    return "provisional" if rolling or now < period.end + rules.final_after_h * HOUR else "final"


def kpi_value(view: View, derivation: Derivation, part: Part, now: int) -> KpiValue:
    """The value of one part."""
    kpi, period = derivation.kpi, view.period
    return KpiValue(
        city=view.city.id,
        code=kpi.code,
        part=part.part,
        period=period.label,
        kind=period.kind,
        start=period.start,
        end=period.end,
        value=part.value,
        unit=part.unit or kpi.unit,
        coverage=min(max(part.coverage, 0.0), 1.0),
        status=status_of(part.value, period, view.city.rules, now),
        n_devices=part.n_devices,
        method=derivation.method,
        notes=part.notes,
    )


def revise(old: StoredKpi | None, new: KpiValue, now: int, hold_ms: float) -> StoredKpi | None:
    """What to store when `new` is computed over `old`; None when nothing changed.

    A final value that has stood for `hold_ms` and changes is a new revision and keeps the one it replaces; a change
    within that time (a backlog that arrives in pieces) belongs to the same revision. A final value that went away is
    still one that was told: what comes after it is another revision.
    """
    if old is None:
        return StoredKpi(kpi=new, changed=now, updated=now)
    new = msgspec.structs.replace(new, revision=old.kpi.revision)
    if new == old.kpi:
        return None
    withdrawn = old.kpi.status == "insufficient" and old.kpi.revision > 1
    if old.kpi.status != "final" and not withdrawn:
        return StoredKpi(kpi=new, changed=now, previous=old.previous, updated=now)
    if new.value != old.kpi.value and now - old.changed >= hold_ms:
        new = msgspec.structs.replace(new, revision=old.kpi.revision + 1)
        before = old.previous if old.kpi.value is None else old.kpi.value
        return StoredKpi(kpi=new, changed=now, previous=before, updated=now)
    return StoredKpi(kpi=new, changed=old.changed, previous=old.previous, updated=now)
