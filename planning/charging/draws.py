"""Draws of whole users: how high the sum of n of them may go. Pure; deterministic for a seed.

Draws are nested: each is one order of all users, of which the first n count, so that no draw's peak falls with n.
Where more are wanted than there are users, all take part once, then again in a new order, moved by whole weeks, so
that weekday and time of day stay and two copies of one user do not charge in the same moment.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from planning.charging.profiles import Profile
from planning.grid import WEEK, Grid
from telemetry.errors import UsageError
from telemetry.series import FloatArray, IntArray


class Orders(NamedTuple):
    """Who takes part in each draw, in which order: user and how many slots the profile is moved; (draws, n)."""

    user: IntArray
    move: IntArray


class Spread(NamedTuple):
    """5, 50 and 95 % of the draws (linear between them)."""

    p5: float
    p50: float
    p95: float


def spread(values: FloatArray) -> Spread:
    """The spread of one value a draw."""
    return Spread(*(float(p) for p in np.percentile(values, (5.0, 50.0, 95.0))))


def orders(users: int, n: int, draws: int, seed: int, grid: Grid) -> Orders:
    """Nested draws of n of `users` users. Raises UsageError where there is nobody to draw."""
    if users == 0:
        raise UsageError("There are no users to draw from; give sessions whose users are known.")
    if draws < 1:
        raise UsageError(f"draws = {draws}: at least one draw is needed.")
    weeks = max(grid.step * grid.slots // WEEK, 1)
    laps = -(-max(n, 1) // users)
    user, move = np.empty((draws, laps * users), dtype=np.int64), np.zeros((draws, laps * users), dtype=np.int64)
    for draw in range(draws):
        rng = np.random.default_rng([seed, draw])  # a stream of its own, so that more draws change none before
        for lap in range(laps):
            part = slice(lap * users, (lap + 1) * users)
            user[draw, part] = rng.permutation(users)
            if lap:
                move[draw, part] = rng.integers(1, max(weeks, 2), size=users) * (WEEK // grid.step)
    return Orders(user[:, :n], move[:, :n])


def moved(slot: IntArray, move: int, grid: Grid) -> IntArray:
    """Slots moved by whole weeks, round within the whole weeks of the grid; what lies after them stays."""
    span = grid.step * grid.slots // WEEK * (WEEK // grid.step)
    return slot if span == 0 else np.where(slot < span, (slot + move) % span, slot)


def sum_of(profiles: Sequence[Profile], user: IntArray, move: IntArray, grid: Grid) -> FloatArray:
    """The summed power of one draw, kW in each slot."""
    out = np.zeros(grid.slots)
    size = max(grid.slots, int(move.max(initial=0))) + 1  # a week may be longer than the grid
    pairs, count = np.unique(user * size + move, return_counts=True)
    for pair, times in zip(pairs.tolist(), count.tolist(), strict=True):
        u, m = divmod(pair, size)
        slot, kw = profiles[u]
        # A slot occurs once in a profile, so that plain adding is enough.
        out[moved(slot, m, grid) if m else slot] += kw if times == 1 else times * kw
    return out


def peaks(
    base: FloatArray, profiles: Sequence[Profile], chosen: Orders, counts: Sequence[int], grid: Grid
) -> FloatArray:
    """The highest power of base load and the first n users, kW, for each n of `counts` (ascending); (draws, counts)."""
    out = np.empty((len(chosen.user), len(counts)))
    wanted, most = {n: i for i, n in enumerate(counts)}, max(counts)
    for draw, (users, moves) in enumerate(zip(chosen.user[:, :most], chosen.move[:, :most], strict=True)):
        running = base.copy()
        if 0 in wanted:
            out[draw, wanted[0]] = running.max()
        for n, (u, m) in enumerate(zip(users.tolist(), moves.tolist(), strict=True), 1):
            slot, kw = profiles[u]
            # A slot occurs once in a profile, so that plain adding is enough.
            running[moved(slot, m, grid) if m else slot] += kw
            if n in wanted:
                out[draw, wanted[n]] = running.max()
    return out


def demand_factors(found: FloatArray, counts: Sequence[int], kw: float) -> FloatArray:
    """Peak over the rated power of n points of `kw` each; `found`: peaks without base load, (draws, counts)."""
    return np.asarray(found / (np.array(counts, dtype=np.float64) * kw))


def coincidence_factors(
    found: FloatArray, profiles: Sequence[Profile], chosen: Orders, counts: Sequence[int]
) -> FloatArray:
    """Peak over the sum of the own peaks of those in the draw; `found`: peaks without base load, (draws, counts)."""
    highest = np.array([p.highest for p in profiles])
    own = np.cumsum(highest[chosen.user], axis=1)[:, np.array(counts) - 1]
    return np.asarray(np.divide(found, own, out=np.ones_like(found), where=own > 0))
