"""EN:EN:WS:1C Drinking Water Quality: share of hourly samples that comply, %. Partial.

The publisher's KPI is the share of households under a water safety plan that has been audited, which no probe measures.
Probes in the network (`water_quality`) give what such a plan watches: turbidity, free chlorine, pH and conductivity. A
sample is the mean of one valid hour of one parameter of one probe; it complies within the limits of
`engine/families/compliance.py`. The value is the complying samples of all probes and parameters over all samples.
"""

from __future__ import annotations

import numpy as np

from kpi_derivation.engine.families.compliance import LIMITS
from kpi_derivation.engine.view import HOUR_MS, Part, View
from kpi_derivation.rules.presence import expected
from kpi_derivation.rules.ratios import ONLY_CALENDAR, joined
from kpi_derivation.rules.reasons import low, no_data, no_device, other_period, without_value
from registry.city import DeviceKind

CODE = "EN:EN:WS:1C"
METHOD = "drinking-water-samples/1 (partial; share of samples, not of households under an audited plan)"
REGION = "ratio"
_PROBES: tuple[DeviceKind, ...] = ("water_quality",)


def derive(view: View) -> list[Part]:
    """One part, without a name."""
    samples = within = due = 0.0
    devices, worst = set[str](), list[str]()
    for quantity in LIMITS:
        days = view.daily(quantity, _PROBES)
        hours = np.nan_to_num(days["hours"]).sum(axis=1)
        good = np.nan_to_num(days["hours_within"]).sum(axis=1)
        samples, within = samples + float(hours.sum()), within + float(good.sum())
        due += float(expected(view, days.devices).sum()) / HOUR_MS
        devices |= {d.id for d, n in zip(days.devices, hours.tolist(), strict=True) if n}
        if hours.sum() > good.sum():
            worst.append(f"{quantity} {hours.sum() - good.sum():g} of {hours.sum():g} samples outside the limits")
    coverage, rule = min(samples / due, 1.0) if due else 0.0, view.city.rules.period_capture
    if view.period.kind == "24h":
        why = other_period(f"{ONLY_CALENDAR}, and 365 days")
    elif not due:
        why = no_device("no drinking water probe is registered")
    elif not samples:
        why = no_data("no valid hour of a probe in the period")
    elif coverage < rule:
        why = low(coverage, rule, "samples")
    else:
        notes = joined("partial", *worst)
        return [
            Part(
                value=100.0 * within / samples, coverage=coverage, n_devices=len(devices), notes=notes,
                numerator=within, denominator=samples,
            )
        ]  # fmt: skip
    return [without_value(why, coverage, len(devices))]
