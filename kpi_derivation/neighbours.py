"""Quality control above the raw store: each day of a station held against the others of its kind. Flags, no deletion.

A station's day is compared by the logarithm of its mean over the median of the other stations of the same kind that
day. The usual difference of a station (its mean over the last 60 days that were not flagged) is its own; a day is
flagged where the difference has left that usual one:

    drift   the median of the last 10 days (6 or more there) is off by a factor of 1.6, and by 1.25 usual deviations
    step    each of the last 3 days is off by a factor of 3
    stuck   every valid hour of the day (18 or more) has the same value

So a fault that doubles a station is flagged within two weeks, unless the weather halves it against the others just
then (tests/kpi_golden/test_quality.py has the figures). Weather raises flags too: a flag asks a person to look. The
numbers are ours and parameters of the method.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from kpi_derivation.days import DayGrid
from telemetry.city import City
from telemetry.series import FloatArray, IntArray

if TYPE_CHECKING:
    from kpi_derivation.folding import Days

BoolArray = npt.NDArray[np.bool_]

USUAL, LEAST_USUAL = 60, 40
RECENT, LEAST_RECENT = 10, 6
DRIFT, STEP, STEP_DAYS = float(np.log(1.6)), float(np.log(3.0)), 3
_BACK = USUAL + RECENT
SPREADS = 1.25
FLOOR = 1.0  # µg/m³: below, ratios say nothing
DAY_HOURS = 18
DRIFTS, STEPS, STUCK = 1.0, 2.0, 3.0
QUANTITIES = frozenset({"pm2_5", "pm10", "no2", "so2", "o3"})
WORDS = {DRIFTS: "drifts", STEPS: "steps", STUCK: "stuck"}


class Neighbours:
    """Flags of one city's stations; `grid` rows are those of `places` (row of the engine's days -> row here)."""

    def __init__(self, city: City) -> None:
        self.grid = DayGrid({"ratio": np.nan, "suspect": 0.0, "usual": np.nan, "limit": np.nan})
        self.places: dict[int, int] = {}
        self._groups = [
            (quantity, [d.id for d in city.device if d.kind == kind and quantity in d.quantities])
            for quantity in sorted(QUANTITIES)
            for kind in ("air_reference", "air_lowcost")
        ]

    def update(self, days: Days, changed: Iterable[tuple[int, int]]) -> set[tuple[int, int]]:
        """Judge again from the first changed day of each group on; returns the (row, day) whose flag changed."""
        first: dict[int, int] = {}
        for row, day in changed:
            first[row] = min(day, first.get(row, day))
        found: set[tuple[int, int]] = set()
        for quantity, devices in self._groups:
            rows = np.array([days.row_of(d, quantity) for d in devices], dtype=np.int64)
            touched = [first[r] for r in rows.tolist() if r in first]
            if touched and days.grid.shape[1]:
                found |= self._judge(days, quantity, devices, rows, min(touched))
        return found

    def _judge(self, days: Days, quantity: str, devices: list[str], rows: IntArray, since: int) -> set[tuple[int, int]]:
        last = days.grid.origin + days.grid.shape[1] - 1
        columns = days.daily(devices, quantity, since, last)
        there = rows >= 0
        for row in rows[there].tolist():
            self.places.setdefault(row, len(self.places))
        places = np.array([self.places.get(r, -1) for r in rows.tolist()], dtype=np.int64)
        self.grid.ensure(len(self.places), since, last)
        ratio = differences(columns["hour_sum"], columns["hours"])
        before = {name: self.grid.slice(name, places, since - _BACK, last) for name in self.grid.fills}
        stuck = (columns["hours"] >= DAY_HOURS) & (columns["max1"] == columns["min1"])
        was = before["suspect"][:, _BACK:].copy()
        before["ratio"][:, _BACK:] = ratio
        before["suspect"][:, _BACK:] = np.where(stuck, STUCK, 0.0)
        known = Judged(before["suspect"], before["usual"], before["limit"])
        now = judge(before["ratio"], known, _BACK)
        a = since - self.grid.origin
        for name, values in (("ratio", before["ratio"]), *now._asdict().items()):
            self.grid.columns[name][places[there], a : a + ratio.shape[1]] = values[there, _BACK:]
        at, day = np.nonzero((now.suspect[:, _BACK:] != was) & there[:, None])
        return set(zip(rows[at].tolist(), (day + since).tolist(), strict=True))


def differences(hour_sum: FloatArray, hours: FloatArray) -> FloatArray:
    """Logarithm of each day's mean over the median of the other stations; NaN with fewer than two others."""
    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.where(hours >= DAY_HOURS, hour_sum / hours, np.nan)
    logs = np.log(np.maximum(means, FLOOR))
    if len(logs) < 3:
        return np.full(logs.shape, np.nan)
    if len(logs) > 20:  # one's own value hardly moves the median of many
        return np.asarray(logs - _median(logs.T)[None, :])
    others = [_median(np.delete(logs, i, axis=0).T) for i in range(len(logs))]
    return np.asarray(logs - np.array(others))


def _median(rows: FloatArray, least: int = 2) -> FloatArray:
    """Median of what is there in each row; NaN with fewer than `least`."""
    ordered = np.sort(rows, axis=1)  # NaN last
    n = (~np.isnan(rows)).sum(axis=1)
    low, high = np.maximum((n - 1) // 2, 0), np.minimum(n // 2, rows.shape[1] - 1)
    index = np.arange(len(rows))
    return np.where(n >= least, (ordered[index, low] + ordered[index, high]) / 2.0, np.nan)


class Judged(NamedTuple):
    """Per station and day: the flag, the usual difference and how far from it the recent one may be."""

    suspect: FloatArray
    usual: FloatArray
    limit: FloatArray


def judge(ratio: FloatArray, before: Judged, start: int) -> Judged:
    """Judge the days from column `start` on. `before`: the days before them as judged; STUCK where a day is stuck."""
    suspect, usual, limit = (column.copy() for column in before)
    for day in range(start, ratio.shape[1]):
        past = slice(max(day - RECENT + 1 - USUAL, 0), max(day - RECENT + 1, 0))
        fine = ~np.isnan(ratio[:, past]) & (suspect[:, past] == 0.0)
        n = fine.sum(axis=1)
        mean = np.where(fine, ratio[:, past], 0.0).sum(axis=1) / np.maximum(n, 1)
        off = np.where(fine, ratio[:, past] - mean[:, None], 0.0)
        spread = np.sqrt((off * off).sum(axis=1) / np.maximum(n, 1))
        # A long fault leaves no days to learn from: then what was usual before it stays so.
        enough, old = n >= LEAST_USUAL, max(day - 1, 0)
        usual[:, day] = np.where(enough, mean, usual[:, old])
        limit[:, day] = np.where(enough, np.maximum(DRIFT, SPREADS * spread), limit[:, old])
        found = np.where(_drifts(ratio, usual, limit, day), DRIFTS, np.where(_steps(ratio, usual, day), STEPS, 0.0))
        found = np.where(np.isnan(ratio[:, day]), 0.0, found)
        suspect[:, day] = np.where(suspect[:, day] == STUCK, STUCK, found)
    return Judged(suspect, usual, limit)


def _drifts(ratio: FloatArray, usual: FloatArray, limit: FloatArray, day: int) -> BoolArray:
    recent = _median(ratio[:, max(day - RECENT + 1, 0) : day + 1], LEAST_RECENT)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.abs(recent - usual[:, day]) > limit[:, day])


def _steps(ratio: FloatArray, usual: FloatArray, day: int) -> BoolArray:
    last = ratio[:, max(day - STEP_DAYS + 1, 0) : day + 1] - usual[:, day, None]
    with np.errstate(invalid="ignore"):
        return np.asarray((last > STEP).all(axis=1) | (last < -STEP).all(axis=1))
