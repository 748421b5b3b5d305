"""The expected level of a station's day, from other stations of its kind. Pure; levels are logarithms of daily means.

In a group of up to 8 stations every two others make an expectation: own = a + b * first + c * second, fitted over the
station's last 60 days that were not flagged; the median of all these counts, so that one faulty neighbour does not
move it. Two others explain more than the median of all, because wind raises the stations of one side of a city only.
In larger groups, own = a + b * (median of the others). b and c are drawn a little towards 1/2 each (ridge regression).

A fit is made for three days at once and leaves out the 12 days before them, which may be the beginning of a fault.
"""

from __future__ import annotations

from itertools import combinations
from typing import NamedTuple

import numpy as np

from telemetry.series import FloatArray, IntArray

USUAL, LEAST_USUAL = 60, 40
BACK = 800  # days of history: a change that lasts longer than two years becomes usual and is no longer flagged
RECENT = 13
STRIDE = 3
PAIRED = 8  # the largest group in which all pairs of others are looked at
HOLD = 1.0  # weight of b = c = 1/2, in units of the sum of squares of the levels


class Fit(NamedTuple):
    """A line per expectation: means of the own level and of the two others', the two slopes, the usual deviation."""

    own: FloatArray
    first: FloatArray
    second: FloatArray
    b: FloatArray
    c: FloatArray
    deviation: FloatArray


class Group:
    """The stations of a group over some days; `level` and `others` (median of the other stations): (stations, days)."""

    def __init__(self, level: FloatArray, others: FloatArray) -> None:
        self._level, self._others = level, others
        self._paired = 3 <= len(level) <= PAIRED
        every = _pairs(len(level)) if self._paired else [(i, i, i) for i in range(len(level))]
        self._own, self._first, self._second = np.array(every, dtype=np.int64).reshape(-1, 3).T

    def differences(self, suspect: FloatArray, now: slice) -> tuple[FloatArray, FloatArray]:
        """Measured minus expected, of the days `now` and the RECENT - 1 before; and each station's usual deviation.

        `suspect`: flags, known of the days before. NaN where there is no expected level.
        """
        good = np.where(suspect > 0.0, np.nan, self._level)
        x = good if self._paired else self._others
        days = _usual_days(self._level, good, now.start - RECENT + 1)[self._own]
        first = _pick(x, self._first, days)
        second = _pick(x, self._second, days) if self._paired else first
        fit = _fit(_pick(good, self._own, days), first, second)
        lead = np.full((len(x), max(RECENT - 1 - now.start, 0)), np.nan)
        part = slice(max(now.start - RECENT + 1, 0), now.stop)
        y, x = np.hstack((lead, self._level[:, part])), np.hstack((lead, x[:, part]))
        expected = (fit.own - fit.b * fit.first - fit.c * fit.second)[:, None]
        expected = expected + fit.b[:, None] * x[self._first] + fit.c[:, None] * x[self._second]
        shape = (len(y), -1, y.shape[1])
        off = (y[self._own] - expected).reshape(shape)
        middle = median(off.transpose(0, 2, 1).reshape(-1, off.shape[1]), 1).reshape(y.shape)
        return middle, median(fit.deviation.reshape(len(y), -1), 1)


def _pairs(stations: int) -> list[tuple[int, int, int]]:
    """Each station with every two others."""
    return [(i, j, k) for i in range(stations) for j, k in combinations([j for j in range(stations) if j != i], 2)]


def _usual_days(level: FloatArray, good: FloatArray, end: int) -> IntArray:
    """Per station the USUAL days before column `end` to fit, -1 for none.

    A long fault leaves none of the last days: then the last ones before it, of the BACK days.
    """
    last = np.arange(end - USUAL, end)
    days = np.tile(np.where(last >= 0, last, -1), (len(level), 1))
    first = max(end - USUAL, 0)
    measured, fine = (~np.isnan(v[:, first : max(end, 0)]) for v in (level, good))
    for row in np.flatnonzero((measured.sum(axis=1) >= LEAST_USUAL) & (fine.sum(axis=1) < LEAST_USUAL)).tolist():
        oldest = max(end - BACK, 0)
        found = oldest + np.flatnonzero(~np.isnan(good[row, oldest:end]))[-USUAL:]
        days[row] = -1
        days[row, : len(found)] = found
    return days


def _pick(values: FloatArray, rows: IntArray, days: IntArray) -> FloatArray:
    """The values of these rows at their days, NaN where a day is -1."""
    return np.where(days < 0, np.nan, values[rows[:, None], days])


def _fit(y: FloatArray, x1: FloatArray, x2: FloatArray) -> Fit:
    """Least squares over the days on which all three have a value; NaN with fewer than LEAST_USUAL."""
    ok = ~(np.isnan(y) | np.isnan(x1) | np.isnan(x2))
    n = ok.sum(axis=1)
    own, first, second = (np.where(ok, v, 0.0).sum(axis=1) / np.maximum(n, 1) for v in (y, x1, x2))
    y, x1, x2 = (np.where(ok, v - m[:, None], 0.0) for v, m in ((y, own), (x1, first), (x2, second)))
    s11, s22, s12 = (x1 * x1).sum(axis=1) + HOLD, (x2 * x2).sum(axis=1) + HOLD, (x1 * x2).sum(axis=1)
    p1, p2 = (x1 * y).sum(axis=1) + HOLD / 2.0, (x2 * y).sum(axis=1) + HOLD / 2.0
    by = s11 * s22 - s12 * s12
    b, c = (p1 * s22 - p2 * s12) / by, (p2 * s11 - p1 * s12) / by
    rest = y - b[:, None] * x1 - c[:, None] * x2
    deviation = np.sqrt((rest * rest).sum(axis=1) / np.maximum(n, 1))
    enough = n >= LEAST_USUAL
    return Fit(own, first, second, np.where(enough, b, np.nan), c, np.where(enough, deviation, np.nan))


def median(rows: FloatArray, least: int = 2) -> FloatArray:
    """Median of the values in each row; NaN with fewer than `least`."""
    ordered = np.sort(rows, axis=1)  # NaN last
    n = (~np.isnan(rows)).sum(axis=1)
    low, high = np.maximum((n - 1) // 2, 0), np.minimum(n // 2, rows.shape[1] - 1)
    index = np.arange(len(rows))
    return np.where(n >= least, (ordered[index, low] + ordered[index, high]) / 2.0, np.nan)
