"""Days over a limit, per station: shared by the WHO and EU exceedance KPIs. Pure.

A day counts with 18 valid hours (75 %) for its mean, with a valid 8-hour mean for its highest 8-hour mean. The city's
figure is that of the station with the most days, of the stations with `period_capture` of the days; the worst twenty
are named.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kpi_derivation.engine.view import HOUR_MS, Daily, Part, View
from kpi_derivation.rules.air.stations import kinds_of, mass_scale
from kpi_derivation.rules.presence import in_service
from kpi_derivation.rules.ratios import ONLY_CALENDAR, joined
from telemetry.kpi_value import Reason
from telemetry.series import FloatArray

DAY_HOURS = 18
_NAMED = 20  # stations with the most days that are named


class Limit(NamedTuple):
    """A limit of a quantity in µg/m³: on the day's mean, its highest 8-hour mean, or (as a count) its hours over."""

    part: str
    quantity: str
    over: float
    of: str = "mean"


def exceedances(view: View, limits: tuple[Limit, ...], celsius: float) -> list[Part]:
    """One part a limit. `celsius`: temperature at which the rule defines the mass of gases measured by volume."""
    return [_part(view, limit, celsius) for limit in limits]


def _part(view: View, limit: Limit, celsius: float) -> Part:
    unit = "hours" if limit.of == "over" else None
    kinds, label = kinds_of(view, limit.quantity)
    days = view.daily(limit.quantity, kinds)
    there = in_service(view, days.devices)
    if view.period.kind == "24h" or not there.any():
        why = ONLY_CALENDAR if there.any() else "no station of the city measures it"
        reason: Reason = "not_for_period" if there.any() else "no_device"
        return Part(part=limit.part, value=None, coverage=0.0, n_devices=0, notes=why, unit=unit, reason=reason)
    values = day_values(days, limit.of)
    if limit.of != "over":  # hours are counted day by day, with the EU's conversion
        values = values * mass_scale(view, days.devices, limit.quantity, celsius)[:, None]
    expected = max(round(view.expected_ms / HOUR_MS / 24), 1)
    capture = np.minimum((~np.isnan(values)).sum(axis=1) / expected, 1.0)
    counts = capture >= max(view.city.rules.period_capture, 1e-9)
    over = _counted(values, limit)
    coverage, n = float(capture[there].mean()), int(counts.sum())
    if not n:
        why = f"no station has {100 * view.city.rules.period_capture:g} % of the days"
        return Part(
            part=limit.part, value=None, coverage=coverage, n_devices=0, notes=joined(label, why), unit=unit,
            reason="low_coverage",
        )  # fmt: skip
    view.mark(days.devices, counts, limit.part)
    most = np.flatnonzero(counts)
    worst = most[np.argsort(-over[most], kind="stable")[:_NAMED]].tolist()
    named = [f"{days.devices[i].id} {over[i]:g}" for i in sorted(worst)]
    what = {"mean": "daily mean", "max8": "highest 8-h mean", "over": "hourly mean"}[limit.of]
    notes = joined(label, f"{what} over {limit.over:g} ug/m3: {', '.join(named)}")
    value = float(over[counts].max())
    return Part(part=limit.part, value=value, coverage=coverage, n_devices=n, notes=notes, unit=unit)


def day_values(days: Daily, of: str) -> FloatArray:
    """What of each day is held against the limit; NaN where the day does not count."""
    return days.mean(DAY_HOURS) if of == "mean" else days[of]


def _counted(values: FloatArray, limit: Limit) -> FloatArray:
    """Days over the limit per station; hours over it where the days hold counts of hours."""
    if limit.of == "over":
        return np.asarray(np.nansum(values, axis=1))
    return np.asarray((values > limit.over).sum(axis=1), dtype=np.float64)  # NaN is not over it
