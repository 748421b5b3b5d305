"""A share of the homes has an electric car: recorded users, drawn whole, charge beside the measured load.

The number of cars is round(share x homes x cars per home). Which users they are differs by draw.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from planning.charging import draws
from planning.measured import season_shift
from planning.situation import Fleet, Situation
from telemetry.errors import UsageError


class Options(msgspec.Struct, frozen=True):
    """`homes`: None takes the customers of the meters; `least_kwh`: users with less in the period are left out."""

    share: Annotated[float, msgspec.Meta(ge=0, le=10)]
    kw: Annotated[float, msgspec.Meta(gt=0)] = 11.0
    cars_per_home: Annotated[float, msgspec.Meta(gt=0)] = 1.0
    homes: Annotated[float, msgspec.Meta(gt=0)] | None = None
    least_kwh: float = 100.0


def apply(now: Situation, options: Options) -> Situation:
    """Add the cars. Raises UsageError without sessions or users."""
    measured = now.measured
    grid, given = measured.grid, now.sessions
    if given is None:
        raise UsageError('ev_share needs recorded sessions: set sessions = "file.csv" in [scenario].')
    first, last = int(given.start.min()), int(given.start.max())
    near = given.shifted(season_shift(grid.start, grid.end, first, last)).within(grid)
    users = near.of_users(near.regulars(options.least_kwh))
    if not users.users:
        raise UsageError(f"No user of the sessions charged more than {options.least_kwh:g} kWh in {now.period.label}.")
    homes = int(now.customers.sum()) if options.homes is None else options.homes
    n = round(options.share * homes * options.cars_per_home)
    chosen = draws.orders(len(users.users), n, now.draws, now.seed, grid)
    note = (
        f"{n} cars at {options.kw:g} kW, drawn from {len(users.users)} recorded users, who charge as where they were "
        "recorded"
    )
    return now.but(note, fleet=Fleet(users, chosen, n, options.kw) if n else None)
