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
from kpi_derivation.rules.ratios import ONLY_CALENDAR, joined
from kpi_derivation.rules.reasons import reason_for
from registry.city import DeviceKind

CODE = "EN:EN:WS:1C"
METHOD = "drinking-water-samples/1 (partial; share of samples, not of households under an audited plan)"
REGION = "ratio"
_PROBES: tuple[DeviceKind, ...] = ("water_quality",)


def derive(view: View) -> list[Part]:
    """One part, without a name."""
    samples = within = expected = 0.0
    devices, worst = set[str](), list[str]()
    for quantity in LIMITS:
        days = view.daily(quantity, _PROBES)
        hours = np.nan_to_num(days["hours"]).sum(axis=1)
        good = np.nan_to_num(days["hours_within"]).sum(axis=1)
        samples, within = samples + float(hours.sum()), within + float(good.sum())
        expected += len(days.devices) * view.expected_ms / HOUR_MS
        devices |= {d.id for d, n in zip(days.devices, hours.tolist(), strict=True) if n}
        if hours.sum() > good.sum():
            worst.append(f"{quantity} {hours.sum() - good.sum():g} of {hours.sum():g} samples outside the limits")
    coverage, rule = samples / expected if expected else 0.0, view.city.rules.period_capture
    if view.period.kind == "24h":
        why = f"{ONLY_CALENDAR}, and 365 days"
    elif not expected:
        why = "no drinking water probe is registered"
    elif not samples:
        why = "no valid hour of a probe in the period"
    else:
        why = "" if coverage >= rule else f"{100 * coverage:.2f} % of the samples, under {100 * rule:g} %"
    value = None if why else 100.0 * within / samples
    ratio = (None, None) if why else (within, samples)
    return [
        Part(
            value=value, coverage=coverage, n_devices=len(devices), notes=why or joined("partial", *worst),
            reason=reason_for(why),
            numerator=ratio[0], denominator=ratio[1],
        )
    ]  # fmt: skip
