"""What a street's traffic adds to the air, and what closing it to part of the traffic could take away. Pure.

    increment(t) = street(t) - background(t)        with the traffic cut:  background + increment x (1 - a x d)

NO2 is not proportional to NOx, so a cut computed for it is an upper bound. The evidence that measures of this kind
left behind stands beside every result.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from planning.blocks import Interval, iso_week, mean_interval
from telemetry.errors import UsageError
from telemetry.series import FloatArray, IntArray

EVIDENCE = (
    "low emission zones in 17 German cities changed NO2 by at most -2 ug/m3 (-4 %) (PLoS ONE 9(8) e102999, 2014)",
    "Munich, zone and truck ban: PM10 -13.0 % at the traffic site (-19.6 summer, -6.8 winter), -4.5 % in the "
    "background (IJERPH 11(5) 5094, 2014)",
)


class Increment(NamedTuple):
    """The street's mean, the mean increment with its interval, ug/m3; `note`: limits of the estimate."""

    street_mean: float
    increment: Interval
    note: str


class Cut(NamedTuple):
    """The street's mean without part of its traffic, and the change; both with their intervals, ug/m3."""

    mean: Interval
    change: Interval
    notes: tuple[str, ...]


def increment(street: FloatArray, background: FloatArray, t: IntArray, seed: int = 1) -> Increment:
    """Over the hours (start `t`, UTC ms) in which both have a value. Raises UsageError where there are none."""
    both = ~np.isnan(street) & ~np.isnan(background)
    if not both.any():
        raise UsageError("The street and the background have no valid hour in common in this period.")
    found = mean_interval((street - background)[both], iso_week(t[both]), seed=seed, wide=False)
    note = "" if found.value >= 0 else "the background is higher than the street: it is not a clean background"
    return Increment(float(street[both].mean()), found, note)


def without_traffic(found: Increment, removed: float, share: float, quantity: str) -> Cut:
    """Close the street to the share `removed` of its traffic, whose part in the traffic's emission is `share`.

    `share` comes from an emission table (HBEFA, COPERT) of the user; there is no default. Raises UsageError.
    """
    for name, value in (("removed", removed), ("share", share)):
        if not 0.0 <= value <= 1.0:
            raise UsageError(f"{name} = {value:g}: write a share from 0 to 1.")
    cut, inc = removed * share, found.increment
    change = Interval(-cut * inc.value, -cut * inc.high, -cut * inc.low, inc.blocks, inc.hours)
    level = found.street_mean
    mean = Interval(level + change.value, level + change.low, level + change.high, inc.blocks, inc.hours)
    notes = [f"evidence: {text}" for text in EVIDENCE]
    if quantity == "no2":
        notes.insert(0, "an upper bound: NO2 is not proportional to the NOx that traffic emits")
    if found.note:
        notes.insert(0, found.note)
    return Cut(mean, change, tuple(notes))
