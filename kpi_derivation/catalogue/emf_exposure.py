"""EN:EN:EQ:1C EMF Exposure: antenna sites whose field stays within the limit / antenna sites, %. Formula unconfirmed.

A probe (`emf_probe`, quantity `field_strength`) stands for one site; the site complies where the highest mean of a
valid hour in the period is not over the rule `emf_limit_v_per_m`. Sites without a probe are unknown: unless nearly all
`antenna_sites` of [city] have one, the value is of a part of the sites only. A broadband probe does not weigh
frequencies, so the value is indicative.
"""

from __future__ import annotations

import numpy as np

from kpi_derivation.engine.view import Part, View
from kpi_derivation.rules.presence import counted_by_hours
from kpi_derivation.rules.ratios import ONLY_CALENDAR, joined
from kpi_derivation.rules.reasons import Why, no_device, other_period, without_value
from registry.city import DeviceKind
from telemetry.kpi_value import Reason

CODE = "EN:EN:EQ:1C"
METHOD = "emf-sites/1 (unconfirmed formula)"
REGION = "ratio"
_PROBES: tuple[DeviceKind, ...] = ("emf_probe",)
_NEARLY_ALL = 0.95


def derive(view: View) -> list[Part]:
    """One part, without a name."""
    days = view.daily("field_strength", _PROBES)
    found = counted_by_hours(view, view.rows("field_strength", _PROBES))
    counts = found.counts
    view.mark(days.devices, counts)
    n, sites, limit = int(counts.sum()), view.city.city.antenna_sites, view.city.rules.emf_limit_v_per_m
    share = min(len(days.devices) / sites, 1.0) if sites else 0.0
    coverage = found.coverage * (share or 1.0)
    if view.period.kind == "24h":
        why = other_period(f"{ONLY_CALENDAR}, and 365 days")
    elif not days.devices:
        why = no_device("no field probe is registered")
    else:
        none = Why(f"no site has {100 * view.city.rules.period_capture:g} % of the hours", "low_coverage")
        why = Why() if n else none
    if why.missing:
        return [without_value(why, coverage, n)]
    highest = np.fmax.reduce(days["highest_hour"][counts], axis=1)
    good = float((highest <= limit).sum())
    known = f"{len(days.devices)} of {sites:g} sites have a probe" if sites else "antenna_sites is not set in [city]"
    notes = joined(f"indicative: broadband probes; limit {limit:g} V/m", known)
    reason: Reason = found.reason if share >= _NEARLY_ALL else "partial_period"
    return [
        Part(
            value=100.0 * good / n, coverage=coverage, n_devices=n, notes=notes, reason=reason, numerator=good,
            denominator=float(n),
        )
    ]  # fmt: skip
