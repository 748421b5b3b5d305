"""Of every section of road and day: its travel times in the hours of the peak and of free flow. Pure.

Peak: 07-09 and 16-18 local time, Monday to Friday. Free flow: 00-05 of every day. Both are choices of CityVitals; the
publisher's text on the index was not read.
"""

from __future__ import annotations

from datetime import date

import numpy as np

from kpi_derivation.engine.days.blocks import LEAD, Block
from kpi_derivation.engine.days.family import Family
from telemetry.series import FloatArray

PEAK, FREE = (7, 8, 16, 17), (0, 1, 2, 3, 4)
_FRIDAY = 4


def fold(block: Block) -> dict[str, FloatArray]:
    """Sums of the means of valid hours, and how many; hours since midnight, so the day of a clock change is shifted."""
    means = block.valid[:, LEAD:]
    weekday = np.array([date.fromordinal(day).weekday() <= _FRIDAY for day in block.day.tolist()], dtype=np.bool_)
    out: dict[str, FloatArray] = {}
    for name, hours in (("peak", PEAK), ("free", FREE)):
        part = means[:, list(hours)]
        if name == "peak":
            part = np.where(weekday[:, None], part, np.nan)
        out[f"{name}_sum"] = np.nansum(part, axis=1)
        out[f"{name}_hours"] = (~np.isnan(part)).sum(axis=1).astype(np.float64)
    return out


COLUMNS = ("peak_sum", "peak_hours", "free_sum", "free_hours")
FAMILY = Family(quantities=frozenset({"travel_time"}), columns=dict.fromkeys(COLUMNS, 0.0), fold=fold)
