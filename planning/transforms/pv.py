"""A share of the metered homes gets photovoltaics: grid = load - pv, what is left over is fed in.

The generation is that of the city's own generation meters, scaled by kWp; it covers the year as it was.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
import numpy as np

from planning.situation import Added, Situation
from registry.city import Device
from telemetry.errors import UsageError
from telemetry.partials import Partials, step
from telemetry.series import FloatArray
from telemetry.windows import HOUR


class Options(msgspec.Struct, frozen=True):
    """`kwp` a roof; `measured_kwp`: of the generation meters together; `share` of the metered homes."""

    kwp: Annotated[float, msgspec.Meta(gt=0)]
    measured_kwp: Annotated[float, msgspec.Meta(gt=0)]
    share: Annotated[float, msgspec.Meta(ge=0, le=1)] = 1.0


def self_consumption(load: FloatArray, pv: FloatArray) -> float:
    """Share of the generation that is used on the spot: sum min(load, pv) / sum pv."""
    return float(np.minimum(load, pv).sum() / pv.sum())


def autarky(load: FloatArray, pv: FloatArray) -> float:
    """Share of the load that the generation covers on the spot: sum min(load, pv) / sum load."""
    return float(np.minimum(load, pv).sum() / load.sum())


def apply(now: Situation, options: Options) -> Situation:
    """Put generation on the first roofs of a random order. Raises UsageError without generation meters."""
    meters, homes = now.measured.meters, now.customers
    rng = np.random.default_rng([now.seed, 0x5056])
    order = rng.permutation(int(homes.sum()))[: round(options.share * int(homes.sum()))]
    roofs = np.bincount(np.repeat(np.arange(len(meters)), homes)[order], minlength=len(meters))  # of each meter
    one = generation(now) * options.kwp / options.measured_kwp
    loads, surplus = dict(now.loads), dict(now.surplus)
    for i in np.flatnonzero(roofs).tolist():
        name, pv = meters[i], roofs[i] * one
        load = now.load(name)
        loads[name] = np.maximum(load - pv, 0.0)  # NaN stays NaN: an hour without a load is not one without a grid
        surplus[name] = surplus.get(name, 0.0) + np.where(np.isnan(load), 0.0, np.maximum(pv - load, 0.0))
    made = Device(
        id="scenario-pv", kind="electricity_meter", role="generation", quantities=("energy_delta",), smart=False
    )
    kwh = int(roofs.sum()) * one * now.measured.grid.hours
    notes = f"{roofs.sum()} roofs of {options.kwp:g} kWp with the measured generation of the period"
    return now.but(notes, loads=loads, surplus=surplus, added=(*now.added, Added(made, kwh)))


def generation(now: Situation) -> FloatArray:
    """Power of all generation meters together, kW, in each interval. Raises UsageError where there are none."""
    meters = [d for d in now.city.device if d.kind == "electricity_meter" and d.role == "generation"]
    grid = now.measured.grid
    total, found = np.zeros(grid.slots), False
    for device in meters:
        for quantity in ("energy_delta", "energy_total"):
            if quantity in device.quantities:
                hours = now.hours((device.id, quantity))
                found |= bool((hours.n > 0).any())
                total += _spread(hours, quantity == "energy_total", now)
                break
    if not found:
        raise UsageError(
            f"'{now.city.id}' has no generation meter (role = \"generation\") with readings in {now.period.label}; "
            "photovoltaics are scaled from measured generation."
        )
    return total


def _spread(hours: Partials, register: bool, now: Situation) -> FloatArray:
    """kW in each interval; an hour's energy is spread evenly over its intervals."""
    grid = now.measured.grid
    there = hours.take(hours.n > 0)
    if not len(there):
        return np.zeros(grid.slots)
    kwh = there.sum
    if register:
        forever = np.full(len(there), np.inf)
        joined = np.concatenate(([0.0], step(there.last[:-1], there.first[1:], forever[1:])))
        near = np.concatenate(([False], there.first_t[1:] - there.last_t[:-1] <= 2 * HOUR))
        kwh = np.nan_to_num(there.increase) + np.where(near, joined, 0.0)
    out = np.zeros(grid.slots)
    per_hour = HOUR // grid.step
    first = (there.start - grid.start) // grid.step
    for k in range(per_hour):
        inside = (first + k >= 0) & (first + k < grid.slots)
        out[(first + k)[inside]] += kwh[inside]
    return out
