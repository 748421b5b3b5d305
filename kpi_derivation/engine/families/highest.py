"""Of every series of field strength and day: the highest mean of its valid hours. Pure."""

from __future__ import annotations

import numpy as np

from kpi_derivation.engine.days.blocks import LEAD, Block
from kpi_derivation.engine.days.family import Family
from telemetry.series import FloatArray


def fold(block: Block) -> dict[str, FloatArray]:
    """NaN without a valid hour."""
    return {"highest_hour": np.fmax.reduce(block.valid[:, LEAD:], axis=1)}


FAMILY = Family(quantities=frozenset({"field_strength"}), columns={"highest_hour": np.nan}, fold=fold)
