"""The rule for valid hours: an hour with readings for the share `hour_capture` of its time. Pure.

`hour_capture` is a rule of the city file, with its default in `registry/city.py` (`Rules`). For registers see
`rules/metering/read_time.py`.
"""

from __future__ import annotations

import numpy as np

from telemetry.series import FloatArray, IntArray
from telemetry.windows import HOUR


def hour_columns(n: IntArray, mean: FloatArray, interval: FloatArray, capture: float) -> dict[str, FloatArray]:
    """Per hour with `n` readings: `covered` ms, and `hours`, `hour_sum` of the valid ones.

    `interval`: ms a reading stands for, NaN where unknown (then it stands for the hour); a longer one than an hour
    covers hours without readings too. `capture`: share of the hour that makes it valid.
    """
    reach = np.where(np.isnan(interval), HOUR, interval)
    covered = np.where(n > 0, np.minimum(n * reach, np.maximum(reach, HOUR)), 0.0)
    valid = (n > 0) & (covered >= capture * HOUR - 1e-6)
    return {"covered": covered, "hours": valid.astype(np.float64), "hour_sum": np.where(valid, mean, 0.0)}
