"""`Family`: the one shape of the columns that the engine makes of the hours of a day. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from kpi_derivation.engine.days.blocks import Block
from telemetry.series import FloatArray


class Family(NamedTuple):
    """Columns of each civil day of each series that has one of `quantities` (None: of every series).

    `columns`: their names, and what stands in each where there is no data. `fold`: from a block to the columns, one
    value a group. `lead_h`: hours before the day it looks at, at most `blocks.LEAD`; a changed day changes the next one
    then. `before_intervals`: it is folded before it is known how long a reading stands, and reads no `interval`,
    `valid`.
    """

    quantities: frozenset[str] | None
    columns: Mapping[str, float]
    fold: Callable[[Block], dict[str, FloatArray]]
    lead_h: int = 0
    before_intervals: bool = False

    def has(self, quantity: str) -> bool:
        """Whether series of this quantity have these columns."""
        return self.quantities is None or quantity in self.quantities
