"""Days: what the engine remembers of each series and civil day, and how a day is made from its hours. Pure.

A dense grid, one row a series and one column a civil day of the city, so that any calendar period is a slice.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from telemetry.partials import Partials, step
from telemetry.series import FloatArray, IntArray
from telemetry.windows import HOUR

# Sums over a period are taken over these; the rest is needed to make them.
SUMMED = ("n", "sum", "hours", "hour_sum", "covered", "increase", "flagged")
NO_DATA: dict[str, float] = {
    **dict.fromkeys((*SUMMED, "inside"), 0.0),
    **dict.fromkeys(("first", "last", "step", "interval"), np.nan),
}


@dataclass(slots=True)
class DayGrid:
    """Columns of shape (series rows, days). `origin`: proleptic ordinal of the first day's date.

    `fills`: the columns, and what stands in each where there is no data.
    """

    fills: dict[str, float] = field(default_factory=lambda: NO_DATA)
    origin: int = 0
    shape: tuple[int, int] = (0, 0)
    columns: dict[str, FloatArray] = field(default_factory=dict)

    def ensure(self, rows: int, first: int, last: int) -> None:
        """Make room for `rows` series and the days first..last (ordinals)."""
        if self.shape[1] == 0:
            self.origin = first
        before = max(0, self.origin - first)
        after = max(0, last + 1 - self.origin - self.shape[1])
        more = max(0, rows - self.shape[0])
        if not (before or after or more):
            return
        # Growing by a quarter more than asked keeps the copying linear.
        after += (self.shape[1] // 4) * (after > 0)
        more += (self.shape[0] // 4) * (more > 0)
        shape = (self.shape[0] + more, before + self.shape[1] + after)
        for name, fill in self.fills.items():
            grown = np.full(shape, fill)
            if name in self.columns:
                grown[: self.shape[0], before : before + self.shape[1]] = self.columns[name]
            self.columns[name] = grown
        self.origin, self.shape = self.origin - before, shape

    def sums(self, first: int, last: int, rows: IntArray | None = None) -> FloatArray:
        """Per series row the sums over the days first..last (ordinals, both included); shape (rows, SUMMED + 1).

        The last column is the longest interval used, 0 where none. `rows`: only of these.
        """
        if rows is not None:
            some = {n: np.ascontiguousarray(c[rows]) for n, c in self.columns.items() if n in (*SUMMED, "interval")}
            return DayGrid(self.fills, self.origin, (len(rows), self.shape[1]), some).sums(first, last)
        a, b = max(first - self.origin, 0), max(min(last + 1 - self.origin, self.shape[1]), 0)
        out = np.zeros((self.shape[0], len(SUMMED) + 1))
        if b > a:
            # NumPy adds in pairs, by length: over all days of the span, so that the grid's size changes no bit.
            days = np.zeros((self.shape[0], last + 1 - first)) if b - a < last + 1 - first else None
            for i, name in enumerate(SUMMED):
                block = self.columns[name][:, a:b]
                if days is not None:
                    days[:, a + self.origin - first : b + self.origin - first] = block
                out[:, i] = (block if days is None else days).sum(axis=1)
            out[:, -1] = np.nan_to_num(self.columns["interval"][:, a:b]).max(axis=1)
        return out

    def bytes(self) -> int:
        """Bytes of the columns."""
        return sum(column.nbytes for column in self.columns.values())

    def slice(self, name: str, rows: IntArray, first: int, last: int) -> FloatArray:
        """A column of these rows (-1: a row that is not there) over the days first..last; shape (rows, days)."""
        out = np.full((len(rows), last + 1 - first), self.fills[name])
        a, b = max(first - self.origin, 0), min(last + 1 - self.origin, self.shape[1])
        there = np.flatnonzero((rows >= 0) & (rows < self.shape[0]))
        if b > a and len(there):
            out[there, a + self.origin - first : b + self.origin - first] = self.columns[name][rows[there], a:b]
        return out

    def join_counters(self, rows: IntArray, modulus: FloatArray) -> set[tuple[int, int]]:
        """Give each day of these counter series its steps plus the step from the last day with data before it.

        `modulus`: of each row. Returns the (row, day) whose increase changed: late data of one day changes the step
        into the next one.
        """
        c, changed = self.columns, set()
        for row, size in zip(rows.tolist(), modulus.tolist(), strict=True):
            days = np.flatnonzero(c["n"][row] > 0)
            joined = c["inside"][row].copy()
            if len(days) > 1:
                a, b = days[:-1], days[1:]
                joined[b] += step(c["last"][row][a], c["first"][row][b], np.full(len(a), size))
            changed |= {(row, int(d) + self.origin) for d in np.flatnonzero(joined != c["increase"][row])}
            c["increase"][row] = joined
        return changed


def typical_step(hours: Partials, day: IntArray) -> FloatArray:
    """Per (sorted) row group `day`, the weighted median step in ms between readings; NaN with fewer than two.

    Steps: inside each hour the mean step (weight: their number), between neighbouring hours the gap (weight 1).
    """
    ok = np.flatnonzero(hours.n > 0)
    groups = int(day[-1]) + 1 if len(day) else 0
    out = np.full(groups, np.nan)
    if not len(ok):
        return out
    n = hours.n[ok]
    many = n > 1
    inside = (hours.last_t[ok] - hours.first_t[ok])[many] / (n[many] - 1)
    same = (day[ok][1:] == day[ok][:-1]) & (hours.series[ok][1:] == hours.series[ok][:-1])
    between = (hours.first_t[ok][1:] - hours.last_t[ok][:-1])[same]
    steps = np.concatenate((inside, between))
    weights = np.concatenate((n[many] - 1, np.ones(len(between)))).astype(np.float64)
    groups_of = np.concatenate((day[ok][many], day[ok][1:][same]))
    medians = _weighted_medians(groups_of, steps, weights)
    out[list(medians)] = list(medians.values())
    return out


def _weighted_medians(group: IntArray, values: FloatArray, weights: FloatArray) -> dict[int, float]:
    """Lower weighted median of each group present."""
    if not len(group):
        return {}
    order = np.lexsort((values, group))
    g, v, w = group[order], values[order], weights[order]
    heads = np.flatnonzero(np.concatenate(([True], g[1:] != g[:-1])))
    total = np.add.reduceat(w, heads)
    before = np.concatenate(([0.0], np.cumsum(total)[:-1]))
    place = np.searchsorted(np.cumsum(w), before + total / 2 - 1e-9)
    return dict(zip(g[heads].tolist(), v[np.minimum(place, len(v) - 1)].tolist(), strict=True))


def hour_columns(n: IntArray, mean: FloatArray, interval: FloatArray, capture: float) -> dict[str, FloatArray]:
    """Per hour with `n` readings: `covered` ms, and `hours`, `hour_sum` of the valid ones.

    `interval`: ms a reading stands for, NaN where unknown (then it stands for the hour); a longer one than an hour
    covers hours without readings too. `capture`: share of the hour that makes it valid.
    """
    reach = np.where(np.isnan(interval), HOUR, interval)
    covered = np.where(n > 0, np.minimum(n * reach, np.maximum(reach, HOUR)), 0.0)
    valid = (n > 0) & (covered >= capture * HOUR - 1e-6)
    return {"covered": covered, "hours": valid.astype(np.float64), "hour_sum": np.where(valid, mean, 0.0)}
