"""A share of the buildings with a heat meter heats with a heat pump: measured heat over a coefficient of performance.

Which buildings they are differs by draw.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
import numpy as np

from planning.situation import Situation
from planning.transforms.pv import _spread
from telemetry.errors import UsageError


class Options(msgspec.Struct, frozen=True):
    """`cop`: yearly mean; 3 is an assumption for air to water, to be replaced by a dated figure of the place."""

    share: Annotated[float, msgspec.Meta(ge=0, le=1)]
    cop: Annotated[float, msgspec.Meta(gt=0)] = 3.0


def apply(now: Situation, options: Options) -> Situation:
    """Add the load. Raises UsageError where no heat meter has readings."""
    names = [d.id for d in now.city.device if d.kind == "heat_meter" and "heat_total" in d.quantities]
    curves = [c for c in (_spread(now.hours((name, "heat_total")), True, now) for name in names) if c.any()]
    if not curves:
        raise UsageError(
            f"'{now.city.id}' has no heat meter with readings in {now.period.label}: heat_pump needs them."
        )
    n = round(options.share * len(curves))
    load = np.array(curves) / options.cop
    drawn = np.zeros((now.draws, now.measured.grid.slots)) if now.drawn is None else now.drawn.copy()
    for draw in range(now.draws):
        rng = np.random.default_rng([now.seed, draw, 0x4850])
        drawn[draw] += load[rng.permutation(len(load))[:n]].sum(axis=0)
    return now.but(f"{n} of {len(curves)} buildings with a heat pump, COP {options.cop:g}", drawn=drawn)
