"""Air quality indices of single values: US AQI, NowCast and European AQI. Pure.

US AQI: 40 CFR 58 Appendix G, breakpoints in force since May 2024; sources differ on the last PM2.5 row, here it is that
of EPA's AQS table (225.5-325.4 is 301-500). NowCast: EPA document P100X0J6. European AQI: ETC HE Report 2024/17,
Table 5.2, hourly values; a value exactly on a break belongs to the lower band (sources differ).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from telemetry.series import BoolArray, FloatArray

LEVELS = (50, 100, 150, 200, 300, 500)


class Scale(NamedTuple):
    """`uppers`: highest concentration of each row; `step`: by which a concentration is cut; `factor`: µg/m³ per unit.

    `levels`: highest index of each row. `low`: lowest concentration and index of the scale.
    """

    uppers: tuple[float, ...]
    step: float
    factor: float = 1.0
    levels: tuple[int, ...] = LEVELS
    low: tuple[float, int] = (0.0, 0)


# µg/m³ per ppb at 25 °C, 101.325 kPa, by molar mass: the index is defined for that temperature.
US = {
    "pm2_5": Scale((9.0, 35.4, 55.4, 125.4, 225.4, 325.4), 0.1),
    "pm10": Scale((54, 154, 254, 354, 424, 604), 1.0),
    "o3": Scale((0.054, 0.070, 0.085, 0.105, 0.200), 0.001, 1961.9, LEVELS[:5]),
    "no2": Scale((53, 100, 360, 649, 1249, 2049), 1.0, 1.8804),
    "so2": Scale((35, 75, 185, 304), 1.0, 2.6185, LEVELS[:4]),
}
EUROPE = {
    "pm2_5": (5, 15, 50, 90, 140),
    "pm10": (15, 45, 120, 195, 270),
    "no2": (10, 25, 60, 100, 150),
    "o3": (60, 100, 120, 160, 180),
    "so2": (20, 40, 125, 190, 275),
}
BANDS = ("good", "fair", "moderate", "poor", "very poor", "extremely poor")


def aqi(concentration: float, scale: Scale) -> float:
    """US AQI of a concentration in µg/m³ (for gases converted): cut, interpolated, half rounded up; at most the top."""
    cut = math.floor(max(concentration, 0.0) / scale.factor / scale.step + 1e-6) * scale.step
    low, index = scale.low
    for upper, level in zip(scale.uppers, scale.levels, strict=True):
        if cut <= upper + scale.step * 1e-3:
            return float(math.floor((level - index) / (upper - low) * (cut - low) + index + 0.5))
        low, index = upper + scale.step, level + 1
    return float(scale.levels[-1])


def is_current(hours: FloatArray) -> BoolArray:
    """Per row of hourly values, oldest first, whether two of the last three are there."""
    return np.asarray((~np.isnan(hours[:, -3:])).sum(axis=1) >= 2)


def nowcast(newest_first: Sequence[float]) -> float:
    """NowCast for particles of the last twelve hourly values, NaN where missing; NaN without two of the newest 3."""
    hours = list(newest_first)[:12]
    if sum(not math.isnan(c) for c in hours[:3]) < 2:
        return math.nan
    there = [c for c in hours if not math.isnan(c)]
    weight = max(min(there) / max(there), 0.5) if max(there) > 0 else 1.0
    pairs = [(weight**i, c) for i, c in enumerate(hours) if not math.isnan(c)]
    return sum(w * c for w, c in pairs) / sum(w for w, _ in pairs)


def european_band(quantity: str, concentration: float) -> int:
    """1 good ... 6 extremely poor, of an hourly mean in µg/m³."""
    return 1 + sum(concentration > limit for limit in EUROPE[quantity])
