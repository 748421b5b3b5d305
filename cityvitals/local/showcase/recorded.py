"""Charging sessions of the demo's garages for plans: invented, the same at every start.

Forty users with habits of their own through 2025; a plan moves them to the weekdays of its period.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

_FIRST, _DAYS, _USERS = datetime(2025, 1, 1, tzinfo=UTC), 365, 40
Row = tuple[str, str, str, str, str]


def as_csv() -> str:
    """The file's text, ordered by time."""
    rows = sorted(row for user in range(_USERS) for row in _of_user(user))
    return "\n".join(",".join(row) for row in [("start", "end", "device", "energy_kwh", "user_hash"), *rows]) + "\n"


def _of_user(user: int) -> Iterator[Row]:
    """A user comes home at about the same time, on some of the days, and takes what was driven."""
    chance = random.Random(user)
    share, minute, energy = chance.uniform(0.3, 0.9), chance.gauss(16.5 * 60, 80), chance.uniform(7, 16)
    for day in range(_DAYS):
        if chance.random() < share:
            begin = _FIRST + timedelta(days=day, minutes=round(minute + chance.gauss(0, 50)))
            end = begin + timedelta(minutes=round(chance.uniform(480, 840)))
            kwh = f"{max(1.0, chance.gauss(energy, energy / 3)):.2f}"
            yield (_stamp(begin), _stamp(end), f"garage-{user % 8 + 1}", kwh, f"user{user:02}")


def _stamp(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")
