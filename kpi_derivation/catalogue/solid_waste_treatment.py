"""EN:EN:WA:1C Solid Waste Treatment: mass of waste by way of treatment / mass of all waste, %. Formula unconfirmed.

A weighbridge (`weighbridge`, quantity `waste_mass`) weighs deliveries; its `role` is the way in which they are treated.
A way without a weighbridge has no value; the shares are of what is weighed, so that waste which passes no weighbridge
is missing from them. Coverage: the time between the first and the last delivery of each weighbridge.
"""

from __future__ import annotations

import math

import numpy as np

from kpi_derivation.engine.view import Part, View
from kpi_derivation.rules.reasons import reason_for
from registry.city import DeviceKind

CODE = "EN:EN:WA:1C"
METHOD = "weighbridge-shares/1 (unconfirmed formula)"
REGION = "ratio"
_SCALES: tuple[DeviceKind, ...] = ("weighbridge",)
WAYS = ("landfill", "burnt", "incinerated", "open dump", "recycled", "other")


def derive(view: View) -> list[Part]:
    """One part a way of treatment."""
    rows = view.rows("waste_mass", _SCALES)
    mass: dict[str, list[float]] = {}
    for device, tonnes in zip(rows.devices, rows.sum.tolist(), strict=True):
        mass.setdefault(device.role, []).append(tonnes)
    total, coverage = math.fsum(rows.sum.tolist()), _coverage(view)
    n, why = int((rows.n > 0).sum()), _why_not(view, len(rows.devices), total, coverage)
    if not why and "" in mass:
        why = "set role, the way of treatment, in the [[device]] entries of the weighbridges"
    parts = []
    for way in WAYS:
        none = why or ("" if way in mass else f'no weighbridge with role = "{way}" is registered')
        tonnes = None if none else math.fsum(mass[way])
        value = None if tonnes is None else 100.0 * tonnes / total
        below = None if none else total
        parts.append(
            Part(
                part=way,
                value=value,
                coverage=coverage,
                n_devices=n,
                notes=none,
                reason=reason_for(none),
                numerator=tonnes,
                denominator=below,
            )
        )
    return parts


def _coverage(view: View) -> float:
    devices = view.devices(_SCALES, "waste_mass")
    if not devices or view.expected_ms <= 0:
        return 0.0
    first, last = view.life(devices, "waste_mass")
    inside = np.fmin(last, view.passed_until) - np.fmax(first, float(view.period.start))
    return float(np.nan_to_num(np.clip(inside, 0.0, None)).mean() / view.expected_ms)


def _why_not(view: View, registered: int, total: float, coverage: float) -> str:
    rule = view.city.rules.period_capture
    if not registered:
        return "no weighbridge is registered"
    if not coverage:
        return "no delivery was weighed in the period"
    if coverage >= rule and total <= 0:
        return "nothing was weighed but empty deliveries"
    return "" if coverage >= rule else f"deliveries cover {100 * coverage:.2f} % of the period, under {100 * rule:g} %"
