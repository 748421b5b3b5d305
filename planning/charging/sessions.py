"""Charging sessions as columns: who plugged in when, until when, for how much energy. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from planning.grid import Grid
from telemetry.series import BoolArray, FloatArray, IntArray

NO_END = -1
NO_USER = -1


@dataclass(frozen=True, slots=True)
class Sessions:
    """One row a session. `start`, `end`: plug-in and plug-out, UTC ms (`end` NO_END where it is unknown).

    `user`: place in `users`, NO_USER where it is unknown. `kwh`: energy of the session.
    """

    start: IntArray
    end: IntArray
    kwh: FloatArray
    user: IntArray
    users: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.start)

    @staticmethod
    def of(start: Sequence[int], end: Sequence[int | None], kwh: Sequence[float], user: Sequence[str]) -> Sessions:
        """From plain columns; an empty user and an end of None are unknown."""
        names = tuple(sorted({name for name in user if name}))
        places = {name: i for i, name in enumerate(names)} | {"": NO_USER}
        return Sessions(
            np.array(start, dtype=np.int64),
            np.array([NO_END if t is None else t for t in end], dtype=np.int64),
            np.array(kwh, dtype=np.float64),
            np.array([places[name] for name in user], dtype=np.int64),
            names,
        )

    def take(self, rows: BoolArray | IntArray) -> Sessions:
        """The given rows."""
        return Sessions(self.start[rows], self.end[rows], self.kwh[rows], self.user[rows], self.users)

    def within(self, grid: Grid) -> Sessions:
        """The sessions that start in the grid's time and have any energy."""
        return self.take((self.start >= grid.start) & (self.start < grid.end) & (self.kwh > 0))

    def shifted(self, ms: int) -> Sessions:
        """The same sessions, `ms` later."""
        end = np.where(self.end == NO_END, NO_END, self.end + ms)
        return Sessions(self.start + ms, end, self.kwh, self.user, self.users)

    def scaled(self, factor: float) -> Sessions:
        """The same sessions with `factor` times the energy."""
        return Sessions(self.start, self.end, self.kwh * factor, self.user, self.users)

    def energy_by_user(self) -> FloatArray:
        """kWh of each user, in the order of `users`."""
        known = self.user >= 0
        found = np.bincount(self.user[known], weights=self.kwh[known], minlength=len(self.users))
        return found.astype(np.float64)

    def regulars(self, least_kwh: float) -> IntArray:
        """The users with more than `least_kwh` of energy."""
        return np.flatnonzero(self.energy_by_user() > least_kwh)

    def of_users(self, users: IntArray) -> Sessions:
        """The sessions of these users, numbered in the given order."""
        number = np.full(len(self.users) + 1, NO_USER, dtype=np.int64)  # the last element belongs to NO_USER
        number[users] = np.arange(len(users))
        user = number[self.user]
        keep = user >= 0
        return Sessions(
            self.start[keep], self.end[keep], self.kwh[keep], user[keep], tuple(self.users[u] for u in users.tolist())
        )

    def faster_than(self, kw: float) -> float:
        """Share of the sessions with a known end whose energy per plugged-in time is over `kw`."""
        known = self.end > self.start
        if not known.any():
            return 0.0
        hours = (self.end[known] - self.start[known]) / 3_600_000.0
        return float((self.kwh[known] / hours > kw).mean())

    @property
    def without_end(self) -> int:
        """How many sessions have no plug-out."""
        return int((self.end == NO_END).sum())

    @property
    def without_user(self) -> int:
        """How many sessions have no user."""
        return int((self.user == NO_USER).sum())
