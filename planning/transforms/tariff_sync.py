"""Every car of ev_share waits for the hour at which the cheap tariff begins: a stress case."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import msgspec

from planning.charging.calculator import at_cheap_hour
from planning.measured import cheap_moments
from planning.situation import Situation
from telemetry.errors import UsageError


class Options(msgspec.Struct, frozen=True):
    """`hour`: of the city's clock."""

    hour: Annotated[float, msgspec.Meta(ge=0, lt=24)] = 22.0


def apply(now: Situation, options: Options) -> Situation:
    """Move the sessions. Raises UsageError where no cars were added before."""
    if now.fleet is None:
        raise UsageError("tariff_sync moves the charging of cars: put an ev_share with at least one car before it.")
    cheap = cheap_moments(now.measured.grid, now.city, options.hour)
    fleet = replace(now.fleet, sessions=at_cheap_hour(now.fleet.sessions, cheap))
    return now.but(f"all cars start at {options.hour:g} h", fleet=fleet)
