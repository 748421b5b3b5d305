"""The sessions of one draw of users, for schedules that look at single cars. Pure."""

from __future__ import annotations

import numpy as np

from planning.charging.sessions import NO_END, Sessions
from planning.grid import WEEK, Grid
from telemetry.series import IntArray


def sessions_of(sessions: Sessions, user: IntArray, move: IntArray, grid: Grid) -> Sessions:
    """The sessions of one draw, those who take part again moved by whole weeks; they all have one user."""
    parts = []
    week = grid.step * grid.slots // WEEK * WEEK
    for u, m in zip(user.tolist(), move.tolist(), strict=True):
        mine = sessions.take(sessions.user == u)
        if m and week:
            inside = mine.start - grid.start < week
            to = np.where(inside, grid.start + (mine.start - grid.start + m * grid.step) % week, mine.start)
            end = np.where(mine.end == NO_END, NO_END, mine.end + to - mine.start)
            mine = Sessions(to, end, mine.kwh, mine.user, mine.users)
        parts.append(mine)
    start, end = (np.concatenate([getattr(p, name) for p in parts]) for name in ("start", "end"))
    kwh = np.concatenate([p.kwh for p in parts])
    return Sessions(start, end, kwh, np.zeros(len(start), dtype=np.int64), ("all",))
