"""Of every drinking water series and day: how many of its valid hours lie within the limits of the parameter. Pure.

Limits: turbidity under 1 NTU and free chlorine 0.2 to 5 mg/l after WHO's guidelines for drinking-water quality (from
general knowledge, no text was read); pH 6.5 to 9.5 and conductivity up to 2,500 uS/cm after Annex I of (EU) 2020/2184.
"""

from __future__ import annotations

import numpy as np

from kpi_derivation.engine.days.blocks import LEAD, Block
from kpi_derivation.engine.days.family import Family
from telemetry.series import FloatArray

LIMITS: dict[str, tuple[float, float]] = {
    "turbidity": (0.0, 1.0), "free_chlorine": (0.2, 5.0), "ph": (6.5, 9.5), "conductivity": (0.0, 2500.0),
}  # fmt: skip


def fold(block: Block) -> dict[str, FloatArray]:
    """The hours whose mean is within the limits, both included."""
    means = block.valid[:, LEAD:]
    limits = np.array([LIMITS[q] for q in block.quantity]).reshape(-1, 2)
    within = (means >= limits[:, :1]) & (means <= limits[:, 1:])
    return {"hours_within": within.sum(axis=1).astype(np.float64)}


FAMILY = Family(quantities=frozenset(LIMITS), columns={"hours_within": 0.0}, fold=fold)
