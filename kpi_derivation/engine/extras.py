"""What some quantities keep of each day beyond the sums: made from the valid hours of the day and those before it.

An `Extra` is a pure function from a block of hours to columns. One Extra is one entry in EXTRAS.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from kpi_derivation.engine import air_days, noise_days
from kpi_derivation.engine.blocks import Block
from telemetry.series import FloatArray


class Extra(NamedTuple):
    """`columns`: their names. `fold`: from a block to the columns, one value a group."""

    quantities: frozenset[str]
    columns: tuple[str, ...]
    fold: Callable[[Block], dict[str, FloatArray]]


EXTRAS = (
    Extra(air_days.QUANTITIES, air_days.COLUMNS, air_days.fold),
    Extra(noise_days.QUANTITIES, noise_days.COLUMNS, noise_days.fold),
)
