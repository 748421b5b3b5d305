"""The highest quarter of an hour of all meters together: shared by the KPIs of demand. Pure.

Power is a mean over an interval: a quarter of an hour, or the longer interval of a meter that sends interval energies.
Values of different intervals are not the same thing, so the intervals are part of the method.

The coverage is the share of the meters' time in service whose quarters are known; with less than `period_capture` of it
the value is of a part of the period, or of the meters.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from kpi_derivation.engine.days.demand import Demand, Peak
from kpi_derivation.engine.derived import QUARTER, TARGET, demand_source
from kpi_derivation.engine.view import Part, View
from kpi_derivation.rules.metering.energy import METERS, consumes
from kpi_derivation.rules.presence import expected, in_service
from kpi_derivation.rules.ratios import ONLY_CALENDAR, joined
from registry.city import Device
from telemetry.kpi_value import Reason
from telemetry.periods import iso
from telemetry.series import FloatArray
from telemetry.windows import HOUR, MINUTE

QUANTITIES = (TARGET, "energy_delta")
KINDS = METERS


def of_peak(view: View, value: Callable[[Peak, FloatArray], float], *, of_own: bool = False) -> list[Part]:
    """One part: `value` of the period's peak and each meter's own highest power, kW.

    `of_own`: whether it is the peak over the sum of the meters' own.
    """
    devices = view.devices(KINDS, TARGET)
    mine = view.picked(devices, TARGET, consumes) & in_service(view, devices)
    meters, due = int(mine.sum()), float(expected(view, devices)[mine].sum())
    found = Demand(None, np.empty(0), 0.0) if view.period.kind == "24h" else view.demand()
    coverage = found.known_ms / due if due else 0.0
    if found.peak is None:
        why = "no meter reading every quarter of an hour" if meters else "no electricity meter is registered"
        reason: Reason = "no_data" if meters else "no_device"
        if meters and view.period.kind == "24h":
            why, reason = ONLY_CALENDAR, "not_for_period"
        return [Part(value=None, coverage=coverage, n_devices=0, notes=why, reason=reason)]
    if view.marks is not None:
        known = {name for name, ok in zip(found.names, found.have, strict=True) if ok}
        view.mark(devices, [d.id in known for d in devices])
    if of_own and not float(found.own.sum()):
        why = "no meter used any power"
        return [Part(value=None, coverage=coverage, n_devices=len(found.own), notes=why, reason="undefined")]
    at = averaging(view, len(found.own))
    n, when = len(found.own), f"peak at {iso(found.peak.at)} of {found.peak.meters} meters"
    notes = joined(f"{n} of {meters} meters, mean power {at}", when, "coverage: meter-time of known power")
    part: Reason = "partial_period" if coverage < view.city.rules.period_capture else ""
    v = value(found.peak, found.own)
    terms = (found.peak.kw, float(found.own.sum())) if of_own else (None, None)
    return [
        Part(
            value=v, coverage=coverage, n_devices=n, notes=notes, method=at, reason=part, numerator=terms[0],
            denominator=terms[1],
        )
    ]  # fmt: skip


def averaging(view: View, meters: int) -> str:
    """The intervals over which the power of `meters` meters is averaged: "at 15 min", "at 15 to 60 min"."""
    rows = view.rows("energy_delta", KINDS)
    mine = view.picked(rows.devices, "demand by interval", _sends_intervals) & (rows.n > 0) & (rows.interval <= HOUR)
    intervals = rows.interval[mine]
    alike = len(intervals) and bool((intervals == intervals[0]).all())  # the usual case; sorting thousands takes longer
    different = intervals[:1] if alike else np.unique(intervals)
    minutes = {max(round(ms / MINUTE), QUARTER // MINUTE) for ms in different.tolist()}
    if len(intervals) < meters:
        minutes.add(QUARTER // MINUTE)
    shortest, longest = min(minutes), max(minutes)
    return f"at {shortest} min" if shortest == longest else f"at {shortest} to {longest} min"


def _sends_intervals(device: Device) -> bool:
    return demand_source(device) == "energy_delta"
