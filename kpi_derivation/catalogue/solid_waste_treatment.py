"""EN:EN:WA:1C Solid Waste Treatment: mass of waste by way of treatment / mass of all waste, %. Formula unconfirmed.

A weighbridge (`weighbridge`, quantity `waste_mass`) weighs deliveries; its `role` is the way in which they are treated.
A way without a weighbridge has no value; the shares are of what is weighed, so that waste which passes no weighbridge
is missing from them. Coverage: the time in service between the first and the last delivery of each weighbridge.
"""

from __future__ import annotations

import math

import msgspec

from kpi_derivation.engine.view import Part, View
from kpi_derivation.rules.presence import expected, observed
from kpi_derivation.rules.reasons import Why, no_data, no_device, not_set, undefined, without_value
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
    if not why.missing and "" in mass:
        why = not_set("set role, the way of treatment, in the [[device]] entries of the weighbridges")
    return [_part(way, why, mass, Part(value=None, coverage=coverage, n_devices=n, denominator=total)) for way in WAYS]


def _part(way: str, why: Why, mass: dict[str, list[float]], of_all: Part) -> Part:
    """The share of one way. `of_all`: coverage, weighbridges and total mass of all ways."""
    if not why.missing and way not in mass:
        why = no_device(f'no weighbridge with role = "{way}" is registered')
    if why.missing:
        return without_value(why, of_all.coverage, of_all.n_devices, way)
    tonnes, total = math.fsum(mass[way]), of_all.denominator or 1.0
    return msgspec.structs.replace(of_all, part=way, value=100.0 * tonnes / total, numerator=tonnes)


def _coverage(view: View) -> float:
    devices = view.devices(_SCALES, "waste_mass")
    due = float(expected(view, devices).sum())
    return float(observed(view, devices, "waste_mass").sum()) / due if due else 0.0


def _why_not(view: View, registered: int, total: float, coverage: float) -> Why:
    rule = view.city.rules.period_capture
    if not registered:
        return no_device("no weighbridge is registered")
    if not coverage:
        return no_data("no delivery was weighed in the period")
    if coverage < rule:
        return Why(f"deliveries cover {100 * coverage:.2f} % of the period, under {100 * rule:g} %", "low_coverage")
    return Why() if total > 0 else undefined("nothing was weighed but empty deliveries")
