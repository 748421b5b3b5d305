"""Interruptions of a period, and major event days: shared by the outage KPIs. Pure.

Interruptions are events of meters (power-fail events, one customer or more behind each) and of outage logs. They are
kept in classes of their length: `interrupted_<class>` counts customers, `interruption_<class>` customer minutes, both
at the start of the interruption. The rule `sustained_interruption_min` sets which classes count (IEEE 1366: longer than
5 minutes; EN 50160: 3); the publisher names no limit. An interruption counts whole in the period of its start.
"""

from __future__ import annotations

import math
from datetime import date
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from kpi_derivation.engine.view import View
from registry.city import DeviceKind
from registry.service_times import service_time
from telemetry.kpi_value import Reason
from telemetry.periods import iso, local_date, midnight
from telemetry.quantities import INTERRUPTION_CLASSES
from telemetry.series import FloatArray
from telemetry.windows import DAY

KINDS: tuple[DeviceKind, ...] = ("outage_log", "electricity_meter")
QUANTITIES = tuple(f"{what}_{cls}" for what in ("interrupted", "interruption") for cls in INTERRUPTION_CLASSES)
_LONGER_THAN = {0: 0, 1: 1, 3: 2, 5: 3}  # limit in minutes -> first class that counts
YEARS_BACK = 5


class Interruptions(NamedTuple):
    """Customers interrupted (times), customer minutes, devices that log, and the note on the limit.

    `coverage`: share of the period in the time that was logged. `reason`: why there is no value, or one of a part only.
    """

    customers: float
    minutes: float
    n_devices: int
    notes: str
    coverage: float
    reason: Reason

    @property
    def known(self) -> bool:
        """Whether the period, or a part of it, was logged; then no interruption is zero interruptions."""
        return self.reason in ("", "partial_period")


def classify(minutes: float) -> str:
    """The class of an interruption of that length."""
    for limit, cls in zip((1.0, 3.0, 5.0), INTERRUPTION_CLASSES, strict=False):
        if minutes <= limit:
            return cls
    return INTERRUPTION_CLASSES[-1]


def as_readings(minutes: float, customers: float) -> list[tuple[str, float]]:
    """What one interruption adds, as (quantity, value), all at its start.

    The classes it is not in get zeros, so that an interruption that turns out longer leaves nothing in the shorter one.
    """
    mine = classify(minutes)
    return [
        (f"{what}_{cls}", amount if cls == mine else 0.0)
        for what, amount in (("interrupted", customers), ("interruption", customers * minutes))
        for cls in INTERRUPTION_CLASSES
    ]


def interruptions(view: View) -> Interruptions:
    """The sustained interruptions of the period."""
    limit = view.city.rules.sustained_interruption_min
    classes = INTERRUPTION_CLASSES[_LONGER_THAN[limit] :]
    customers = sum(float(view.rows(f"interrupted_{c}", KINDS).sum.sum()) for c in classes)
    minutes = sum(float(view.rows(f"interruption_{c}", KINDS).sum.sum()) for c in classes)
    names, notes = logging(view), f"interruptions longer than {limit} min"
    if not names:
        why = "no outage log and no meter that reports power failures is registered"
        return Interruptions(0.0, 0.0, 0, why, 0.0, "no_device")
    for quantity in QUANTITIES:
        logs = view.devices(KINDS, quantity)
        view.mark(logs, [True] * len(logs))
    start, end = log_span(view)
    logged = max(min(end, view.passed_until) - max(start, view.period.start), 0.0)
    coverage = logged / view.expected_ms if view.expected_ms > 0 else 0.0
    if not coverage:
        return Interruptions(0.0, 0.0, len(names), _outside(start, end), 0.0, "outside_log")
    whole = coverage >= view.city.rules.period_capture
    return Interruptions(customers, minutes, len(names), notes, coverage, "" if whole else "partial_period")


def log_span(view: View) -> tuple[float, float]:
    """Ms UTC of the time that was logged: `since` to `until` of the logs' entries.

    Where an entry does not state it: from the start of the year of the first event to the end of that of the last one.
    """
    devices = tuple({d.id: d for q in QUANTITIES for d in view.devices(KINDS, q)}.values())
    first, last = view.life(devices, *QUANTITIES)
    zone, spans = view.city.zone, []
    for device, a, b in zip(devices, first.tolist(), last.tolist(), strict=True):
        since, until = service_time(device, zone)
        years = (_year(a, zone, 0), _year(b - 1, zone, 1)) if a == a else (math.inf, -math.inf)  # noqa: PLR0124 - NaN
        spans.append((since if device.since else years[0], until if device.since or device.until else years[1]))
    return min((a for a, _ in spans), default=math.inf), max((b for _, b in spans), default=-math.inf)


def years_logged_before(view: View) -> float:
    """How many of the YEARS_BACK years before the period were logged."""
    start, end = log_span(view)
    back = YEARS_BACK * 365.25 * DAY
    before = min(end, view.period.start) - max(start, view.period.start - back)
    return float(max(before, 0.0) / (365.25 * DAY))


def _year(t: float, zone: ZoneInfo, after: int) -> float:
    return float(midnight(date(local_date(int(t), zone).year + after, 1, 1), zone))


def _outside(start: float, end: float) -> str:
    if end < start:
        return "nothing was logged; set since (and until) in the [[device]] entry of the log"
    spans = [iso(int(t))[:10] if math.isfinite(t) else "now" for t in (start, end)]
    return f"outside the time that was logged ({spans[0]} to {spans[1]}; see since and until in [[device]])"


def logging(view: View) -> set[str]:
    """Devices that log interruptions. That one logged none in a period means that there was none."""
    return {d.id for q in QUANTITIES for d in view.devices(KINDS, q)}


def served(view: View) -> tuple[float | None, str]:
    """Customers served, `electricity_customers` of [city], or why there is none."""
    total = view.city.city.electricity_customers
    return total, "" if total is not None else "set electricity_customers (customers served) in [city]"


def major_event_days(view: View, customers: float) -> tuple[float, FloatArray, int]:
    """Limit T_MED in minutes, the daily SAIDI of the period above it, and the days of the five years before with any.

    T_MED = exp(alpha + 2.5 beta), alpha and beta being mean and standard deviation of ln(daily SAIDI) over the days
    with interruptions of the five years before the period (IEEE 1366, 2.5 beta method).
    """
    start = local_date(view.period.start, view.city.zone)
    back = (start - start.replace(year=start.year - YEARS_BACK, day=min(start.day, 28))).days
    classes = INTERRUPTION_CLASSES[_LONGER_THAN[view.city.rules.sustained_interruption_min] :]
    blocks = [view.daily(f"interruption_{c}", KINDS, back)["sum"].sum(axis=0) for c in classes]
    saidi = np.sum(blocks, axis=0) / customers
    before = saidi[:back][saidi[:back] > 0]
    if len(before) < 2:
        return float("nan"), saidi[:0], len(before)
    logs = np.log(before)
    limit = float(np.exp(logs.mean() + 2.5 * logs.std(ddof=1)))
    return limit, saidi[back:][saidi[back:] > limit], len(before)
