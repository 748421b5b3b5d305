"""The cars of ev_share charge under a limit, earliest deadline first.

`limit_kw` is a constant for the cars alone; `connection_kw` is what cars and measured load may need together.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import msgspec
import numpy as np

from planning.situation import Situation
from telemetry.errors import UsageError


class Options(msgspec.Struct, frozen=True):
    """One of the two is given."""

    limit_kw: Annotated[float, msgspec.Meta(ge=0)] | None = None
    connection_kw: Annotated[float, msgspec.Meta(ge=0)] | None = None


def apply(now: Situation, options: Options) -> Situation:
    """Set the limit. Raises UsageError where no cars were added before, or both or no limits are given."""
    if now.fleet is None:
        raise UsageError("managed limits the charging of cars: put an ev_share with at least one car before it.")
    if (options.limit_kw is None) == (options.connection_kw is None):
        raise UsageError("managed needs either limit_kw (for the cars alone) or connection_kw (for cars and load).")
    if options.limit_kw is not None:
        limit = np.full(now.measured.grid.slots, options.limit_kw)
    else:
        limit = np.maximum((options.connection_kw or 0.0) - now.together(), 0.0)
    fleet = replace(now.fleet, limit=limit)
    return now.but("charging managed, earliest deadline first", fleet=fleet, managed_points=fleet.n)
