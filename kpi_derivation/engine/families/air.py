"""The columns of each day of an air quality series: highest hour, highest 8-hour mean, hours over the limit. Pure.

The 8-hour mean of an hour is over it and the seven before it, with at least 6 valid hours (2008/50/EC Annex VII: 75 %);
it counts for the day in which it ends. Units: µg/m³.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from kpi_derivation.engine.days.blocks import HOURS, LEAD, Block
from kpi_derivation.engine.days.family import Family
from telemetry.series import FloatArray

QUANTITIES = frozenset({"pm2_5", "pm10", "no2", "so2", "o3"})
RUN = 8
MIN_OF_RUN = 6
# Hourly limit values, 2008/50/EC Annex XI: NO2 200, SO2 350, of gases at 20 °C. The others have none.
HOUR_LIMIT = {"no2": 200.0, "so2": 350.0}
# A single hour this many times both its neighbours, and at least the floor, is a fault, not an air mass.
SPIKE_RATIO, SPIKE_FLOOR = 8.0, 100.0


def fold(block: Block) -> dict[str, FloatArray]:
    """The columns; NaN where the day has no valid hour (max8: no valid run)."""
    today = block.valid[:, LEAD:]
    limit = np.array([HOUR_LIMIT.get(q, np.inf) for q in block.quantity]) / block.eu_scale
    none: npt.NDArray[np.bool_] = np.asarray(np.isnan(today).all(axis=1))
    with np.errstate(invalid="ignore"):
        over = (today > limit[:, None]).sum(axis=1).astype(np.float64)
    return {
        "max1": _extreme(today, none, np.nanmax),
        "min1": _extreme(today, none, np.nanmin),
        "max8": np.fmax.reduce(np.where(_in_day(block), running_means(block.valid), np.nan), axis=1),
        "over": over,
        "spikes": spikes(block.valid)[:, LEAD:].sum(axis=1).astype(np.float64),
    }


def _in_day(block: Block) -> npt.NDArray[np.bool_]:
    """Which hours end within their day: the last column is there for the day of 25 hours only."""
    return np.asarray(np.arange(HOURS - LEAD)[None, :] < block.length[:, None])


def _extreme(hours: FloatArray, none: npt.NDArray[np.bool_], of: object) -> FloatArray:
    out = np.full(len(hours), np.nan)
    if not none.all():
        out[~none] = of(hours[~none], axis=1)  # type: ignore[operator]
    return out


def running_means(hours: FloatArray) -> FloatArray:
    """The 8-hour mean that ends with each hour from column LEAD on; NaN with fewer than 6 valid hours."""
    runs = np.lib.stride_tricks.sliding_window_view(hours, RUN, axis=1)
    counts = (~np.isnan(runs)).sum(axis=2)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(counts >= MIN_OF_RUN, np.nan_to_num(runs).sum(axis=2) / counts, np.nan)


def spikes(hours: FloatArray) -> npt.NDArray[np.bool_]:
    """Single hours far above both neighbouring hours with values; an hour without one before it is not a spike."""
    before, after = np.full_like(hours, np.nan), np.full_like(hours, np.nan)
    before[:, 1:], after[:, :-1] = hours[:, :-1], hours[:, 1:]
    around = np.fmax(before, after)
    with np.errstate(invalid="ignore"):
        found: npt.NDArray[np.bool_] = ~np.isnan(before) & (hours >= SPIKE_FLOOR)
        found &= hours > SPIKE_RATIO * np.maximum(around, 1.0)
    return found


FAMILY = Family(
    quantities=QUANTITIES,
    columns=dict.fromkeys(("max1", "min1", "max8", "over", "spikes"), np.nan),
    fold=fold,
    lead_h=RUN - 1,
)
