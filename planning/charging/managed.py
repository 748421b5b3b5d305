"""Managed charging: earliest deadline first under a limit. Pure.

A car can be served from plug-in to the later of plug-out and the time it would need alone; without a plug-out it can
be served for that time. In each interval a car gets at most rated power times its time in it, the car whose time ends
first goes first. This is a schedule that can be kept, not the optimum, and its limit may fall when users are added.
"""

from __future__ import annotations

from bisect import insort
from typing import NamedTuple

import numpy as np

from planning.charging.sessions import NO_END, Sessions
from planning.grid import Grid
from telemetry.series import FloatArray
from telemetry.windows import HOUR

_NOTHING = 1e-9  # kWh that are rounding


class Schedule(NamedTuple):
    """What a limit leaves: energy not delivered, kWh; its share of all energy; the power in each slot, kW."""

    unmet_kwh: float
    shortfall: float
    kw: FloatArray


class _Cars(NamedTuple):
    """Plain lists, because the schedule looks at single cars."""

    first: list[int]
    start: list[int]
    deadline: list[float]
    kwh: list[float]


def _cars(sessions: Sessions, kw: float, grid: Grid) -> _Cars:
    order = np.lexsort((np.arange(len(sessions)), sessions.start))
    s = sessions.take(order)
    alone = s.start + s.kwh / kw * HOUR
    deadline = np.where(s.end == NO_END, alone, np.maximum(s.end, alone))
    first = (s.start - grid.start) // grid.step
    return _Cars(first.tolist(), s.start.tolist(), deadline.tolist(), s.kwh.tolist())


def schedule(sessions: Sessions, kw: float, limit: FloatArray | float, grid: Grid, most: float = np.inf) -> Schedule:
    """Earliest deadline first of the sessions within `grid` under `limit` kW (of each slot, or constant).

    Stops as soon as more than `most` kWh are not delivered: the power is then incomplete.
    """
    cars = _cars(sessions.within(grid), kw, grid)
    capacity = (np.maximum(np.broadcast_to(limit, grid.slots), 0.0) * grid.hours).tolist()
    power = np.zeros(grid.slots)
    unmet, arrived, waiting = 0.0, 0, list[tuple[float, int]]()
    left = cars.kwh.copy()
    slot = cars.first[0] if cars.first else grid.slots
    while slot < grid.slots and unmet <= most:
        while arrived < len(left) and cars.first[arrived] == slot:
            insort(waiting, (cars.deadline[arrived], arrived))
            arrived += 1
        delivered, lost = _serve(waiting, left, cars, kw, capacity[slot], grid.start + slot * grid.step, grid.step)
        power[slot] = delivered / grid.hours
        unmet += lost
        # Without waiting cars, continue with the next arrival.
        slot = slot + 1 if waiting else (cars.first[arrived] if arrived < len(left) else grid.slots)
    unmet += sum(left[car] for _, car in waiting if cars.deadline[car] <= grid.end)
    total = sum(cars.kwh)
    return Schedule(unmet, unmet / total if total else 0.0, power)


def _serve(
    waiting: list[tuple[float, int]],
    left: list[float],
    cars: _Cars,
    kw: float,
    capacity: float,
    begin: int,
    step: int,
) -> tuple[float, float]:
    """Serve one slot; returns kWh delivered and kWh lost by cars whose time ended. Done cars leave `waiting`."""
    room, lost, stay, end = capacity, 0.0, list[tuple[float, int]](), begin + step
    full, start = kw * step / HOUR, cars.start
    for place, entry in enumerate(waiting):
        deadline, car = entry
        if start[car] <= begin and deadline >= end:
            most = full
        else:
            most = max(kw * (min(deadline, end) - max(start[car], begin)) / HOUR, 0.0)
        rest = left[car]
        given = rest if rest <= most else most
        given = given if given <= room else room
        room -= given
        left[car] = rest = rest - given
        if rest > _NOTHING:
            if deadline <= end:
                lost += rest
            else:
                stay.append(entry)
        if room <= 0.0 and deadline > end:
            stay += waiting[place + 1 :]  # those after it have later deadlines and get nothing in this slot
            break
    waiting[:] = stay
    return capacity - room, lost


def smallest_limit(
    sessions: Sessions, kw: float, grid: Grid, allowed: float, unmanaged_peak: float, tolerance: float = 0.05
) -> tuple[float, Schedule]:
    """The smallest constant limit, kW, that leaves at most the share `allowed` of the energy; to `tolerance` kW."""
    inside = sessions.within(grid)
    most = allowed * float(inside.kwh.sum()) + _NOTHING
    low, high = 0.0, max(unmanaged_peak, tolerance)
    while high - low > tolerance:
        middle = (low + high) / 2.0
        if schedule(inside, kw, middle, grid, most).unmet_kwh <= most:
            high = middle
        else:
            low = middle
    return high, schedule(inside, kw, high, grid)
