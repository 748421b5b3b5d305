"""Of every series and day: valid hours, the sum of their means, and the time in ms that readings stand for. Pure."""

from __future__ import annotations

import numpy as np

from kpi_derivation.engine.days.blocks import Block
from kpi_derivation.engine.days.family import Family
from kpi_derivation.rules.metering.read_time import read_time
from kpi_derivation.rules.valid_hours import hour_columns
from telemetry.series import FloatArray


def fold(block: Block) -> dict[str, FloatArray]:
    """`covered`, `hours` and `hour_sum`, added up over the hours of the day."""
    hours, register = block.own.hours, ~np.isnan(block.modulus)
    columns = hour_columns(hours.n, hours.mean, block.interval, block.hour_capture)
    found = {name: np.add.reduceat(values, block.starts) for name, values in columns.items()}
    if register.any():
        times = read_time(hours.take(register), block.interval[register], block.group[register], len(block))
        found["covered"] = np.where(np.isnan(times), found["covered"], times)
    return found


FAMILY = Family(quantities=None, columns=dict.fromkeys(("covered", "hours", "hour_sum"), 0.0), fold=fold)
