"""The time for which the readings of a register stand: the time between readings that follow each other. Pure.

How often a register is read shows little about it: read every 600 to 1,100 s under an interval of 900 s it has three
readings in some hours and six in others, and every second of its day is known.
"""

from __future__ import annotations

import numpy as np

from telemetry.partials import Partials
from telemetry.series import FloatArray, IntArray
from telemetry.windows import HOUR

LATE = 0.5  # of an interval: a reading that comes later than this after its time follows a missed one


def read_time(hours: Partials, interval: FloatArray, group: IntArray, groups: int) -> FloatArray:
    """Ms per group (one register and day each); NaN where it is read less often than every hour, or not at all.

    `hours`: sorted, those of a group beside each other; `group`, `interval` (ms, NaN where unknown): of each. The time
    before the first and after the last reading of a day counts up to one interval.
    """
    out = np.full(groups, np.nan)
    ok = (hours.n > 0) & (interval <= HOUR)
    if not ok.any():
        return out
    hours, interval, group = hours.take(ok), interval[ok], group[ok]
    inside = known(hours.last_t - hours.first_t, hours.n - 1, interval)
    before = np.minimum(hours.first_t - hours.start, interval)
    after = np.minimum(hours.start + HOUR - hours.last_t, interval)
    follows = group[1:] == group[:-1]
    between = known(hours.first_t[1:] - hours.last_t[:-1], np.ones(len(follows)), interval[1:])
    before[1:][follows] = between[follows]
    after[:-1][follows] = 0.0
    total = np.bincount(group, weights=inside + before + after, minlength=groups)
    out[group] = total[group]
    return out


def known(time: IntArray | FloatArray, steps: IntArray | FloatArray, interval: FloatArray) -> FloatArray:
    """Ms of `time`, in which a register was read in `steps` steps, that is known: all, or an interval for each step."""
    return np.asarray(np.where(time <= (steps + LATE) * interval, time, np.minimum(steps * interval, time)), np.float64)
