"""Quality control above the raw store: each day of a station compared with the others of its kind. Flags, no deletion.

A station's day (the logarithm of its mean) is compared with the level expected from the others of its kind
(`expectations`). A day is flagged where the measured level differs from the expected one:

    drift   the median of the last 13 days (7 or more measured) is off by a factor of 1.5 and by 1.25 usual deviations
    step    each of the last 3 days is off by a factor of 3
    stuck   every valid hour of the day (18 or more) has the same value
    empty   no hour of the day has any particles: the fan of an optical sensor has stopped, or its inlet is closed

So a fault that doubles a station is flagged within two weeks, unless the weather halves it against the others just
then. Weather raises flags too, so a person must look at each. A drift is confirmed, so that a rule may leave the
station out, where all of these hold:

    far     it is off by 1.75 usual deviations
    alone   none of the others (of more than ten: at most a tenth) drifts to the same side: weather and events affect
            several stations. One that was confirmed on 7 of the last 26 days does not count here
    known   180 days that were not flagged came before it: with less it is unclear whether the fault is in
            what is measured now or in the days of the fit

The numbers are ours and parameters of the method; tests/kpi_derivation/golden/air/test_neighbours.py prints how often
recorded stations are flagged and confirmed, with a fault and without (table in docs/explanation/suspects.md).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from kpi_derivation.engine.days.columns import DayColumns, SparseGrid
from kpi_derivation.engine.days.expectations import BACK, RECENT, STRIDE, Group, median
from kpi_derivation.engine.days.series_rows import SeriesRows
from kpi_derivation.engine.row_days import RowDays
from registry.city import City
from telemetry.series import BoolArray, FloatArray, IntArray

LEAST_RECENT = 7
DRIFT, STEP, STEP_DAYS = float(np.log(1.5)), float(np.log(3.0)), 3
SPREADS = 1.25
LEAD = BACK + RECENT  # days before that `judge` reads; more of them must not change its result
FLOOR = 1.0  # µg/m³: below, ratios mean nothing
DAY_HOURS = 18
NOTHING = 0.5  # µg/m³: no hour of a day in a city is below it where a particle counter draws air
FAR, FEW, KNOWN = 1.75, 0.1, 180  # of a confirmed drift: usual deviations, share of the others, days
_NEVER = 1 << 40  # days
DRIFTS, CONFIRMED, STEPS, STUCK, EMPTY = 1.0, 1.5, 2.0, 3.0, 4.0
PARTICLES = frozenset({"pm2_5", "pm10"})
QUANTITIES = frozenset({"pm2_5", "pm10", "no2", "so2", "o3"})
WORDS = {
    DRIFTS: "drifts",
    CONFIRMED: "drifts far and alone",
    STEPS: "steps",
    STUCK: "stuck",
    EMPTY: "empty (does its fan stand?)",
}


class Neighbours:
    """Flags of one city's stations, day by day."""

    def __init__(self, city: City, rows: SeriesRows, columns: DayColumns) -> None:
        self.flags = SparseGrid({"level": np.nan, "others": np.nan, "suspect": 0.0})
        self._rows, self._columns = rows, columns
        self._groups = [
            (quantity, tuple(d.id for d in city.device if d.kind == kind and quantity in d.quantities))
            for quantity in sorted(QUANTITIES)
            for kind in ("air_reference", "air_lowcost")
        ]

    def update(self, changed: RowDays) -> RowDays:
        """Judge from the first changed day of each group on; returns the (row, day) whose flag changed."""
        found = RowDays()
        if not len(changed) or not self._columns.main.shape[1]:
            return found
        row, day = changed.row, changed.day
        starts = np.flatnonzero(np.diff(row, prepend=-1))
        first = np.full(int(row[-1]) + 1, _NEVER)
        first[row[starts]] = day[starts]  # of each row the first of its days
        for quantity, devices in self._groups:
            rows = self._rows.of(devices, quantity)
            since = int(first[rows[(rows >= 0) & (rows < len(first))]].min(initial=_NEVER))
            if since < _NEVER:
                found |= self._judge(quantity, rows, since)
        return found

    def _judge(self, quantity: str, rows: IntArray, since: int) -> RowDays:
        since -= since % STRIDE  # whole strides, so that the order in which days come changes nothing
        main, grid = self._columns.main, self.flags.grid
        last = main.origin + main.shape[1] - 1
        columns = self._columns.daily(rows, len(self._rows), quantity, since, last)
        there = rows >= 0
        places = np.full(len(rows), -1, dtype=np.int64)
        places[there] = self.flags.ensure(rows[there], since, last)
        level = levels(columns["hour_sum"], columns["hours"])
        broken = by_itself(columns["hours"], columns["max1"], columns["min1"], quantity in PARTICLES)
        now = {"level": level, "others": of_the_others(level), "suspect": broken}
        before = {name: grid.slice(name, places, since, last) for name in grid.fills}
        same = _same_days(now, before, there)
        if same == level.shape[1]:
            return RowDays()
        since, same = since + same - same % STRIDE, same - same % STRIDE
        was = before["suspect"][:, same:]
        a = since - grid.origin
        for name, values in now.items():
            grid.columns[name][places[there], a : last + 1 - grid.origin] = values[there, same:]
        before = {name: grid.slice(name, places, since - LEAD, last) for name in grid.fills}
        suspect = judge(before["level"], before["others"], before["suspect"], LEAD)[:, LEAD:]
        grid.columns["suspect"][places[there], a : last + 1 - grid.origin] = suspect[there]
        at, day = np.nonzero((suspect != was) & there[:, None])
        return RowDays.of(rows[at], day + since)

    def bytes(self) -> int:
        """Bytes of the flags."""
        return self.flags.grid.bytes()


def _same_days(now: Mapping[str, FloatArray], before: Mapping[str, FloatArray], there: BoolArray) -> int:
    """How many of the first days are as they were judged before: a reading rarely changes what flags depend on.

    (stations, days); of "suspect", what a day shows by itself.
    """
    was = {**before, "suspect": np.where(before["suspect"] >= STUCK, before["suspect"], 0.0)}
    changed = np.zeros(now["level"].shape[1], dtype=np.bool_)
    for name, values in now.items():
        old, new = was[name][there], values[there]
        changed |= ((old != new) & ~(np.isnan(old) & np.isnan(new))).any(axis=0)
    return int(changed.argmax()) if changed.any() else len(changed)


def levels(hour_sum: FloatArray, hours: FloatArray) -> FloatArray:
    """Logarithm of each day's mean; NaN where the day has too few hours."""
    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.where(hours >= DAY_HOURS, hour_sum / hours, np.nan)
    return np.asarray(np.log(np.maximum(means, FLOOR)))


def by_itself(hours: FloatArray, highest: FloatArray, lowest: FloatArray, particles: bool) -> FloatArray:
    """STUCK and EMPTY days, which show without the others; 0 elsewhere. `highest`, `lowest`: valid hours of the day."""
    enough = hours >= DAY_HOURS
    with np.errstate(invalid="ignore"):
        empty = enough & (highest < NOTHING) & particles
    return np.where(empty, EMPTY, np.where(enough & (highest == lowest), STUCK, 0.0))


def of_the_others(level: FloatArray) -> FloatArray:
    """Median of the other stations' levels, each day; NaN with fewer than two others."""
    if len(level) < 3:
        return np.full(level.shape, np.nan)
    if len(level) > 20:  # one's own value hardly moves the median of many
        return np.where(np.isnan(level), np.nan, median(level.T)[None, :])
    return np.array([median(np.delete(level, i, axis=0).T) for i in range(len(level))])


def judge(level: FloatArray, others: FloatArray, suspect: FloatArray, start: int) -> FloatArray:
    """Flags, the days from column `start` (the first of a stride) on judged a second time.

    `suspect`: the flags of the days before; STUCK or EMPTY where a day is.
    """
    suspect, group = suspect.copy(), Group(level, others)
    for first in range(start, level.shape[1], STRIDE):
        now = slice(first, min(first + STRIDE, level.shape[1]))
        off, spread = group.differences(suspect, now)
        limit, far = (np.maximum(DRIFT, times * spread) for times in (SPREADS, FAR))
        known = _good_days(level, suspect, now.start - RECENT + 1) >= KNOWN
        faulty = (suspect[:, max(now.start - 2 * RECENT, 0) : now.start] == CONFIRMED).sum(axis=1) >= LEAST_RECENT
        for i, day in enumerate(range(now.start, now.stop)):
            # `off` begins RECENT - 1 days before `now`.
            recent, last = off[:, i : i + RECENT], off[:, i + RECENT - STEP_DAYS : i + RECENT]
            middle = median(recent, LEAST_RECENT)
            with np.errstate(invalid="ignore"):
                drifts = np.abs(middle) > limit
                confirmed = (np.abs(middle) > far) & known & _alone(np.where(drifts, middle, 0.0), faulty)
                steps = (last > STEP).all(axis=1) | (last < -STEP).all(axis=1)
            drifting = np.where(confirmed, CONFIRMED, DRIFTS)
            found = np.where(drifts, drifting, np.where(steps, STEPS, 0.0))
            found = np.where(np.isnan(level[:, day]), 0.0, found)
            suspect[:, day] = np.where(suspect[:, day] >= STUCK, suspect[:, day], found)
    return suspect


def _good_days(level: FloatArray, suspect: FloatArray, end: int) -> IntArray:
    """Per station, how many of the BACK days before column `end` were measured and not flagged."""
    days = slice(max(end - BACK, 0), max(end, 0))
    return np.asarray((~np.isnan(level[:, days]) & (suspect[:, days] == 0.0)).sum(axis=1))


def _alone(drift: FloatArray, faulty: BoolArray) -> BoolArray:
    """Whether hardly any other station drifts to the same side as each.

    `drift`: 0 where one does not. `faulty`: those of which a fault was known before, which do not show the weather.
    """
    above, below = drift > 0, drift < 0
    others = [side & ~faulty for side in (above, below)]
    same = np.where(above, others[0].sum() - others[0], others[1].sum() - others[1])
    return np.asarray(same <= (FEW * (len(drift) - 1) if len(drift) > 11 else 0))
