"""A street is closed to part of its traffic: background + increment x (1 - a x d) in every hour both have.

The increment is what the street has more than a background station. NO2 computed so is an upper bound.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import msgspec
import numpy as np

from planning.increment import EVIDENCE
from planning.situation import Situation
from telemetry.errors import UsageError
from telemetry.partials import Partials

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class Options(msgspec.Struct, frozen=True):
    """`removed`: share of the traffic; `emission_share`: its part of the traffic's emission (HBEFA, COPERT)."""

    station: str
    background: str
    removed: Share
    emission_share: Share
    quantity: str = "no2"


def apply(now: Situation, options: Options) -> Situation:
    """Change the street's hours. Raises UsageError where one of the stations has none."""
    street, behind = (now.hours((name, options.quantity)) for name in (options.station, options.background))
    for name, found in ((options.station, street), (options.background, behind)):
        if not (found.n > 0).any():
            raise UsageError(f"'{name}' has no hour of {options.quantity} in {now.period.label}.")
    cut = options.removed * options.emission_share
    level = np.full(len(street), np.nan)
    place = np.searchsorted(behind.start, street.start)
    place = np.minimum(place, len(behind) - 1)
    both = (behind.start[place] == street.start) & (behind.n[place] > 0) & (street.n > 0)
    level[both] = behind.mean[place][both]
    shift = np.where(both, -cut * (street.mean - level), 0.0)
    mean = float(np.nanmean(street.mean[both] - level[both]))
    warning = () if mean >= 0 else ("the background is higher than the street: it is not a clean background",)
    notes = (
        f"{options.station}: {100 * options.removed:g} % of the traffic with {100 * options.emission_share:g} % of its "
        f"emission removed; mean increment {mean:.2f} ug/m3 over {int(both.sum())} hours",
        *warning,
        *(
            ("an upper bound: NO2 is not proportional to the NOx that traffic emits",)
            if options.quantity == "no2"
            else ()
        ),
        *(f"evidence: {text}" for text in EVIDENCE),
    )
    return now.but(*notes, rows=now.rows | {(options.station, options.quantity): _moved(street, shift)})


def _moved(hours: Partials, by: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Partials:
    """Every reading of an hour moved by the same amount."""
    return replace(
        hours,
        sum=hours.sum + hours.n * by,
        sumsq=hours.sumsq + 2.0 * by * hours.sum + hours.n * by * by,
        **{name: getattr(hours, name) + by for name in ("min", "max", "first", "last")},
    )
