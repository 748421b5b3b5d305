"""Charging without management, rebuilt from sessions: rated power from plug-in until the energy is in. Pure.

A user's profile is the mean power in each interval by exact overlap, whatever the plug-out; simultaneous sessions of
one user are added; what runs past the grid is cut.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from planning.charging.sessions import Sessions
from planning.grid import Grid
from telemetry.series import FloatArray, IntArray
from telemetry.windows import HOUR


class Profile(NamedTuple):
    """Power in kW where it is not 0: the numbers of the slots, ascending, and the power in each."""

    slot: IntArray
    kw: FloatArray

    def dense(self, slots: int) -> FloatArray:
        """The power of every slot."""
        out = np.zeros(slots)
        out[self.slot] = self.kw
        return out

    @property
    def highest(self) -> float:
        """The highest power, kW."""
        return float(self.kw.max(initial=0.0))


def _overlaps(sessions: Sessions, kw: float, grid: Grid) -> tuple[IntArray, IntArray, FloatArray]:
    """Session, slot and the share of the slot in which the session charges, one row for each slot it touches."""
    starts = sessions.start - grid.start  # counted from the grid's start, so that no bits are lost
    ends = starts + sessions.kwh / kw * HOUR
    first = starts // grid.step
    last = np.ceil(ends / grid.step).astype(np.int64) - 1
    count = np.maximum(last - first + 1, 0)
    session = np.repeat(np.arange(len(sessions)), count)
    slot = np.arange(int(count.sum())) - np.repeat(np.cumsum(count) - count, count) + first[session]
    left = slot * grid.step
    time = np.minimum(ends[session], left + grid.step) - np.maximum(starts[session], left)
    keep = (slot >= 0) & (slot < grid.slots)
    return session[keep], slot[keep], time[keep] / grid.step


def profiles(sessions: Sessions, kw: float, grid: Grid) -> list[Profile]:
    """The profile of each user, in the order of `sessions.users`, charging at `kw`."""
    known = sessions.take(sessions.user >= 0)
    session, slot, share = _overlaps(known, kw, grid)
    place = known.user[session] * grid.slots + slot
    places, inverse = np.unique(place, return_inverse=True)
    power = np.bincount(inverse, weights=share, minlength=len(places)).astype(np.float64) * kw
    bounds = np.searchsorted(places, np.arange(len(known.users) + 1) * grid.slots)
    return [
        Profile(places[a:b] - u * grid.slots, power[a:b])
        for u, (a, b) in enumerate(zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True))
    ]


def total(sessions: Sessions, kw: float, grid: Grid) -> FloatArray:
    """The power of all sessions together, with a user or without, kW in each slot."""
    _, slot, share = _overlaps(sessions, kw, grid)
    return np.bincount(slot, weights=share, minlength=grid.slots).astype(np.float64) * kw


def of_curves(curves: FloatArray) -> list[Profile]:
    """Measured curves (one row each, NaN where nothing was measured: it adds nothing) as profiles."""
    filled = np.nan_to_num(curves)
    slots = [np.flatnonzero(row) for row in filled]
    return [Profile(slot, row[slot]) for slot, row in zip(slots, filled, strict=True)]
