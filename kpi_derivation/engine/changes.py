"""Effects of a changed city file: which KPIs depend on the change, from which time, and the result in sentences. Pure.

Only these KPIs are recalculated, from the stored hours, and of their values only those that differ are stored, so that
nothing else gets a new revision.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from kpi_derivation.catalogue import DERIVATIONS
from kpi_derivation.engine.record import Record
from kpi_derivation.rules.air.calibration import valid_from
from registry.city import City, Device
from telemetry.kpi_value import StoredKpi
from telemetry.periods import CALENDAR, KINDS

ALWAYS = -(1 << 60)  # ms UTC before everything
_SHOWN = 3  # values of a KPI that are named

Identity = tuple[str, str, str, str, int]


class Change(NamedTuple):
    """What changed, the KPIs that depend on it, and the time (ms UTC) from which it holds."""

    what: str
    codes: tuple[str, ...]
    since: int = ALWAYS


def affected(old: City, new: City, record: Record) -> dict[str, str]:
    """KPI code -> changes that it depends on."""
    found: dict[str, list[str]] = {}
    for change in changes(old, new, record):
        for code in change.codes:
            found.setdefault(code, []).append(change.what)
    return {code: "; ".join(why) for code, why in sorted(found.items())}


def since(found: Sequence[Change]) -> dict[str, int]:
    """KPI code -> the time (ms UTC) from which it has to be recalculated."""
    times: dict[str, int] = {}
    for change in found:
        times.update({code: min(change.since, times.get(code, change.since)) for code in change.codes})
    return {code: times[code] for code in sorted(times)}


def changes(old: City, new: City, record: Record) -> list[Change]:
    """Every difference between two files of a city. `record`: what the derivations have read of it."""
    out = []
    for section in ("city", "rules"):
        before, after = getattr(old, section), getattr(new, section)
        for key in type(after).model_fields:
            a, b = getattr(before, key), getattr(after, key)
            if a != b:
                out.append(Change(f"{key} {_text(a)} -> {_text(b)}", record.resting_on((section, key))))
    for key in sorted(old.documented.keys() | new.documented.keys()):
        a, b = old.documented.get(key), new.documented.get(key)
        if a != b:
            out.append(Change(f"{key} {_text(a)} -> {_text(b)}", record.resting_on(("documented", key))))
    return out + _device_changes(old, new, record)


def _device_changes(old: City, new: City, record: Record) -> list[Change]:
    """Devices that were added, removed or differ affect the KPIs that read devices of their kind."""
    before, after = {d.id: d for d in old.device}, {d.id: d for d in new.device}
    out = []
    for name in sorted(before.keys() | after.keys()):
        a, b = before.get(name), after.get(name)
        if a is not None and b is not None and a != b:
            out += _calibration_changes(a, b, record)
            a = replace(a, calibration=b.calibration)
        if a != b:
            facts = [("kind", d.kind) for d in (a, b) if d is not None]
            out.append(Change(f"device {name} {_how(a, b)}", record.resting_on(*facts, ("kind", "*"))))
    return out


def _calibration_changes(a: Device, b: Device, record: Record) -> list[Change]:
    """A calibration affects the KPIs of its quantity, from the first time on from which an entry differs."""
    out = []
    for quantity in sorted({e.quantity for e in (*a.calibration, *b.calibration)}):
        mine, theirs = ([e for e in d.calibration if e.quantity == quantity] for d in (a, b))
        differ = [e for e in mine if e not in theirs] + [e for e in theirs if e not in mine]
        if differ:
            first = min(differ, key=valid_from)
            of_kind = record.resting_on(("kind", b.kind), ("kind", "*"))
            codes = tuple(code for code in of_kind if quantity in record.quantities(code))
            what = f"device {b.id} calibration of {quantity} from {first.valid_from} on"
            out.append(Change(what, codes, valid_from(first)))
    return out


def _how(a: Device | None, b: Device | None) -> str:
    if a is None or b is None:
        return "added" if a is None else "removed"
    keys = [key for key in type(a).__dataclass_fields__ if getattr(a, key) != getattr(b, key)]
    return f"changed: {', '.join(keys)}"


def _text(value: Any) -> str:  # noqa: ANN401 - any value of a city file
    return "not set" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def reasons(found: Sequence[Change]) -> list[str]:
    """The changes and the KPIs that are recalculated for them, one sentence each."""
    return [
        f"{change.what}: " + (f"recalculated: {_listed(change.codes)}" if change.codes else "no KPI depends on it")
        for change in found
    ]


def _listed(codes: Sequence[str]) -> str:
    return "all KPIs" if len(codes) == len(DERIVATIONS) else ", ".join(codes)


def outcome(before: Mapping[Identity, StoredKpi], after: Sequence[StoredKpi]) -> list[str]:
    """The result: per KPI and part how many values differ, and the longest periods with the old and new value.

    `before`: the values as they were stored, by identity; `after`: those that were stored now.
    """
    found: dict[tuple[str, str], list[StoredKpi]] = {}
    for value in after:
        old = before.get(value.kpi.identity)
        if old is None or old.kpi.value != value.kpi.value:
            found.setdefault((value.kpi.code, value.kpi.part), []).append(value)
    lines = []
    for (code, part), values in sorted(found.items()):
        values.sort(key=lambda v: (KINDS.index(v.kpi.kind) if v.kpi.kind in CALENDAR else len(KINDS), -v.kpi.start))
        named = [f"{v.kpi.period} {_from_to(before.get(v.kpi.identity), v)}" for v in values[:_SHOWN]]
        more = f" and {len(values) - _SHOWN:,} more" if len(values) > _SHOWN else ""
        lines.append(f"{code}{f' {part}' if part else ''}: {', '.join(named)}{more}")
    return lines


def _from_to(old: StoredKpi | None, new: StoredKpi) -> str:
    a, b = (None if v is None else v.kpi.value for v in (old, new))
    return f"{_number(a)} -> {_number(b)}" + (f" (revision {new.kpi.revision})" if new.kpi.revision > 1 else "")


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.6g}"
