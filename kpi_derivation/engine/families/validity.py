"""Of every series and day: valid hours, the sum of their means, and the time in ms that readings stand for. Pure."""

from __future__ import annotations

import numpy as np

from kpi_derivation.engine.days.blocks import Block, hour_columns
from kpi_derivation.engine.days.family import Family
from telemetry.series import FloatArray


def fold(block: Block) -> dict[str, FloatArray]:
    """`covered`, `hours` and `hour_sum`, added up over the hours of the day."""
    hours = block.own.hours
    columns = hour_columns(hours.n, hours.mean, block.interval, block.hour_capture)
    return {name: np.add.reduceat(values, block.starts) for name, values in columns.items()}


FAMILY = Family(quantities=None, columns=dict.fromkeys(("covered", "hours", "hour_sum"), 0.0), fold=fold)
