"""Homes with photovoltaics get a battery: it stores what would be fed in and gives it back when it is needed.

The loss is on the way in, the battery starts empty, its size is what can come out, its power has no limit unless given.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
import numpy as np

from planning.situation import Situation
from telemetry.errors import UsageError
from telemetry.series import FloatArray


class Options(msgspec.Struct, frozen=True):
    """`kwh` a home; `efficiency` on the way in (0.9: an assumption); `kw`: highest power either way."""

    kwh: Annotated[float, msgspec.Meta(gt=0)]
    efficiency: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.9
    kw: Annotated[float, msgspec.Meta(gt=0)] | None = None


def apply(now: Situation, options: Options) -> Situation:
    """Run the batteries. Raises UsageError where no home feeds in."""
    if not now.surplus:
        raise UsageError("battery stores what homes would feed in: put a pv before it.")
    names = sorted(now.surplus)
    load = np.array([now.loads[name] for name in names])
    spare = np.array([now.surplus[name] for name in names])
    drawn, left = stored(np.nan_to_num(load), spare, options, now.measured.grid.hours)
    drawn = np.where(np.isnan(load), np.nan, drawn)
    loads = now.loads | dict(zip(names, drawn, strict=True))
    surplus = now.surplus | dict(zip(names, left, strict=True))
    return now.but(f"{len(names)} batteries of {options.kwh:g} kWh", loads=loads, surplus=surplus)


def stored(load: FloatArray, spare: FloatArray, options: Options, hours: float) -> tuple[FloatArray, FloatArray]:
    """Load from the grid and feed-in that are left, kW; one row a home, interval after interval."""
    load, spare, level = load.copy(), spare.copy(), np.zeros(len(load))
    most = np.inf if options.kw is None else options.kw * hours
    for t in range(load.shape[1]):
        room = (options.kwh - level) / options.efficiency
        taken = np.minimum(np.minimum(spare[:, t] * hours, room), most)
        level = level + taken * options.efficiency
        given = np.minimum(np.minimum(load[:, t] * hours, level), most)
        level = level - given
        spare[:, t] -= taken / hours
        load[:, t] -= given / hours
    return np.maximum(load, 0.0), np.maximum(spare, 0.0)
