"""The highest quarter of an hour of all meters together: shared by the KPIs of demand. Pure."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from kpi_derivation.engine.days.demand import Peak
from kpi_derivation.engine.derived import TARGET
from kpi_derivation.engine.view import Part, View
from kpi_derivation.rules.energy import METERS, consumes
from kpi_derivation.rules.ratios import ONLY_CALENDAR, joined
from telemetry.kpi_value import Reason
from telemetry.periods import iso
from telemetry.series import FloatArray

QUANTITIES = (TARGET, "energy_delta")
KINDS = METERS


def of_peak(view: View, value: Callable[[Peak, FloatArray], float]) -> list[Part]:
    """One part: `value` of the period's peak and each meter's own highest power, kW."""
    meters = int(view.picked(view.devices(KINDS, TARGET), TARGET, consumes).sum())
    peak, own = (None, np.empty(0)) if view.period.kind == "24h" else view.demand()
    coverage = len(own) / meters if meters else 0.0
    if peak is None:
        why = "no meter reading every quarter of an hour" if meters else "no electricity meter is registered"
        reason: Reason = "no_data" if meters else "no_device"
        if meters and view.period.kind == "24h":
            why, reason = ONLY_CALENDAR, "not_for_period"
        return [Part(value=None, coverage=coverage, n_devices=0, notes=why, reason=reason)]
    notes = joined(f"at {iso(peak.at)}, {peak.meters} of {meters} meters", "coverage: meters with quarters")
    return [Part(value=value(peak, own), coverage=coverage, n_devices=len(own), notes=notes)]
