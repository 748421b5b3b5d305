"""From a derivation's parts to KPI values with status, and when a changed value is a new revision. Pure."""

from __future__ import annotations

import msgspec

from kpi_derivation.catalogue import Derivation
from kpi_derivation.engine.view import Part, View
from registry.city import Rules
from telemetry.kpi_value import NOT_APPLICABLE, KpiValue, Reason, Status, StoredKpi
from telemetry.periods import Period
from telemetry.windows import HOUR


def status_of(part: Part, period: Period, rules: Rules, now: int) -> Status:
    """`final` once the period ended `final_after_h` hours ago, before `provisional`; else as the part states."""
    if part.value is None:
        return "not_applicable" if part.reason in NOT_APPLICABLE else "insufficient"
    if part.reason == "partial_period":
        return "partial"
    rolling = period.kind in ("24h", "365d")
    return "provisional" if rolling or now < period.end + rules.final_after_h * HOUR else "final"


def reason_of(part: Part) -> Reason:
    """The part's reason; of a missing value whose derivation gives none, too little data."""
    return "low_coverage" if part.value is None and not part.reason else part.reason


def _without_data(reason: Reason, coverage: float) -> Reason:
    """The reason, which of too little data is that there are none where nothing is covered."""
    return "no_data" if reason == "low_coverage" and coverage <= 0 else reason


def _begun(part: Part, period: Period, now: int) -> Part:
    """The part, without any value where the period has not begun."""
    if period.start <= now:
        return part
    notes = "the period has not begun"
    return msgspec.structs.replace(part, value=None, coverage=0.0, n_devices=0, notes=notes, reason="future")


def kpi_value(view: View, derivation: Derivation, part: Part, now: int) -> KpiValue:
    """The value of one part."""
    kpi, period = derivation.kpi, view.period
    part = _begun(part, period, now)
    part = msgspec.structs.replace(part, reason=_without_data(reason_of(part), part.coverage))
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
        status=status_of(part, period, view.city.rules, now),
        n_devices=part.n_devices,
        method=f"{derivation.method} {part.method}".rstrip(),
        notes=part.notes,
        reason=part.reason,
        numerator=None if part.value is None else part.numerator,
        denominator=None if part.value is None else part.denominator,
    )


def revise(old: StoredKpi | None, new: KpiValue, now: int, hold_ms: float) -> StoredKpi | None:
    """What to store when `new` is computed over `old`; None when nothing changed.

    A final value that has stood for `hold_ms` and changes is a new revision and keeps the one it replaces; a change
    within that time (a backlog that arrives in pieces) belongs to the same revision. A final value that went away is
    still one that was published: what follows it is another revision.
    """
    if old is None:
        return StoredKpi(kpi=new, changed=now, updated=now)
    new = msgspec.structs.replace(new, revision=old.kpi.revision)
    if new == old.kpi:
        return None
    withdrawn = old.kpi.value is None and old.kpi.revision > 1
    if old.kpi.status != "final" and not withdrawn:
        return StoredKpi(kpi=new, changed=now, previous=old.previous, updated=now)
    if new.value != old.kpi.value and now - old.changed >= hold_ms:
        new = msgspec.structs.replace(new, revision=old.kpi.revision + 1)
        before = old.previous if old.kpi.value is None else old.kpi.value
        return StoredKpi(kpi=new, changed=now, previous=before, updated=now)
    return StoredKpi(kpi=new, changed=old.changed, previous=old.previous, updated=now)


def withdrawn(value: KpiValue) -> KpiValue:
    """A value of a future time, withdrawn."""
    notes = "withdrawn: it was derived while a clock was ahead"
    return msgspec.structs.replace(
        value, value=None, coverage=0.0, n_devices=0, status="not_applicable", reason="future", notes=notes
    )
