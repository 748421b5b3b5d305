"""Of every series and day: how many readings, their sum, and the median step between them. Pure."""

from __future__ import annotations

import numpy as np

from kpi_derivation.engine.days.blocks import Block
from kpi_derivation.engine.days.family import Family
from telemetry.partials import Partials, regroup
from telemetry.series import FloatArray, IntArray


def fold(block: Block) -> dict[str, FloatArray]:
    """`step`: ms, NaN with fewer than two readings."""
    day = regroup(block.own.hours, block.group, block.modulus)
    return {
        "n": day.n.astype(np.float64), "sum": day.sum, "flagged": day.flagged.astype(np.float64),
        "step": typical_step(block.own.hours, block.group),
    }  # fmt: skip


FAMILY = Family(
    quantities=None,
    columns={
        **dict.fromkeys(("n", "sum", "flagged"), 0.0),
        "step": np.nan,
    },
    fold=fold,
    before_intervals=True,
)


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
    # Where all steps of a group are equal, which is usual, there is nothing to sort.
    low, high = np.full(groups, np.inf), np.full(groups, -np.inf)
    for part in (slice(0, len(inside)), slice(len(inside), None)):
        _bounds(groups_of[part], steps[part], low, high)
    out[low == high] = low[low == high]
    differ = (low < high)[groups_of]
    medians = _weighted_medians(groups_of[differ], steps[differ], weights[differ])
    out[list(medians)] = list(medians.values())
    return out


def _bounds(group: IntArray, values: FloatArray, low: FloatArray, high: FloatArray) -> None:
    """Note the smallest and largest value of each (sorted) group in `low` and `high`."""
    if len(group):
        starts = np.flatnonzero(np.diff(group, prepend=-1))
        at = group[starts]
        low[at] = np.minimum(low[at], np.minimum.reduceat(values, starts))
        high[at] = np.maximum(high[at], np.maximum.reduceat(values, starts))


def _weighted_medians(group: IntArray, values: FloatArray, weights: FloatArray) -> dict[int, float]:
    """Lower weighted median of each group present."""
    if not len(group):
        return {}
    order = np.lexsort((values, group))
    g, v, w = group[order], values[order], weights[order]
    starts = np.flatnonzero(np.concatenate(([True], g[1:] != g[:-1])))
    total = np.add.reduceat(w, starts)
    before = np.concatenate(([0.0], np.cumsum(total)[:-1]))
    place = np.searchsorted(np.cumsum(w), before + total / 2 - 1e-9)
    return dict(zip(g[starts].tolist(), v[np.minimum(place, len(v) - 1)].tolist(), strict=True))
