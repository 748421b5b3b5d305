"""Of every register and day: its first and last accepted reading, and what it counted between them. Pure.

What it counted between days comes later, see `along.join_register`.
"""

from __future__ import annotations

import math

from kpi_derivation.engine.days.blocks import Block
from kpi_derivation.engine.days.family import Family
from kpi_derivation.rules.metering.register_days import fold as fold_days
from telemetry.quantities import QUANTITIES
from telemetry.series import FloatArray

COUNTERS = frozenset(name for name, quantity in QUANTITIES.items() if quantity.kind == "counter")


def fold(block: Block) -> dict[str, FloatArray]:
    """The columns of `DayPoints`."""
    found = fold_days(block.own.hours, block.group, len(block), block.modulus, block.changes, block.limit)
    return found._asdict()


FAMILY = Family(
    quantities=COUNTERS,
    columns={
        **dict.fromkeys(("inside", "changed", "tail", "meter_changes"), 0.0),
        **dict.fromkeys(("first", "last", "first_t", "last_t"), math.nan),
    },
    fold=fold,
    before_intervals=True,
)
