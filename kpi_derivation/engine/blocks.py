"""Hours of days as one array: a row for each (series, civil day), a column for each hour. Pure."""

from __future__ import annotations

from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from telemetry.series import FloatArray, IntArray

LEAD = 7  # hours before the day that come with it: the first running 8-hour mean of a day needs them
HOURS = LEAD + 25  # a day has up to 25


class Block(NamedTuple):
    """`hours`: means of the valid hours, NaN elsewhere, shape (groups, HOURS); column LEAD begins at midnight.

    `quantity`: per group its quantity. `day`: its civil day as proleptic ordinal. `length`: that day's hours, 23 to 25.
    `zone`: the city's.
    """

    hours: FloatArray
    quantity: list[str]
    day: IntArray
    length: IntArray
    zone: ZoneInfo


def place(
    groups: IntArray, row: IntArray, column: IntArray, hour: IntArray, length: IntArray, value: FloatArray
) -> FloatArray:
    """The array of a block. `groups`: sorted (row, column) of each; `hour` of the day and `length` of the day in
    hours of each value.
    """
    out = np.full((len(groups), HOURS), np.nan)
    width = int(max(groups[:, 1].max(initial=0), column.max(initial=0))) + 2
    keys = groups[:, 0] * width + groups[:, 1]
    for shift, slot in ((0, LEAD + hour), (1, LEAD + hour - length)):
        mine = row * width + column + shift
        at = np.minimum(np.searchsorted(keys, mine), len(keys) - 1)
        ok = (keys[at] == mine) & (slot >= 0) & (slot < HOURS)
        out[at[ok], slot[ok]] = value[ok]
    return out
