"""EC:I:T:5A Travel Time Index: travel time in the peak / travel time in free flow. The formula is unconfirmed.

Each section of road (`travel_time`, from loops, Bluetooth or plate readers) has the mean of its valid hours in the peak
and in free flow; the city's value is the mean of the sections' ratios, each section alike. Peak and free flow are the
hours of `engine/families/travel.py`.
"""

from __future__ import annotations

import numpy as np

from kpi_derivation.engine.view import Part, View
from kpi_derivation.rules.presence import counted_by_hours
from kpi_derivation.rules.ratios import ONLY_CALENDAR
from kpi_derivation.rules.reasons import Why, no_device, other_period, undefined, without_value
from registry.city import DeviceKind

CODE = "EC:I:T:5A"
METHOD = "travel-time-peak-to-free-flow/1 (unconfirmed formula)"
REGION = "none"
_SECTIONS: tuple[DeviceKind, ...] = ("travel_time",)


def derive(view: View) -> list[Part]:
    """One part, without a name."""
    days = view.daily("travel_time", _SECTIONS)
    sums = {
        name: np.nan_to_num(days[name]).sum(axis=1) for name in ("peak_sum", "peak_hours", "free_sum", "free_hours")
    }
    found = counted_by_hours(view, view.rows("travel_time", _SECTIONS))
    counts = found.counts & (sums["peak_hours"] > 0) & (sums["free_hours"] > 0)
    coverage, n = found.coverage, int(counts.sum())
    view.mark(days.devices, counts)
    if view.period.kind in ("24h", "day"):
        why = other_period(f"{ONLY_CALENDAR} from a month, and 365 days")
    elif not days.devices:
        why = no_device("no section with travel times is registered")
    elif n and not (sums["free_sum"][counts] > 0).all():
        why = undefined("nothing was measured but travel times of 0")
    else:
        text = f"no section has {100 * view.city.rules.period_capture:g} % of the hours, peak and free flow"
        why = Why() if n else Why(text, "low_coverage")
    if why.missing:
        return [without_value(why, coverage, n)]
    of = {name: values[counts] for name, values in sums.items()}
    ratios = (of["peak_sum"] / of["peak_hours"]) / (of["free_sum"] / of["free_hours"])
    left = len(days.devices) - n
    notes = f"{left} sections left out, too few hours" if left else ""
    return [Part(value=float(ratios.mean()), coverage=coverage, n_devices=n, notes=notes, reason=found.reason)]
