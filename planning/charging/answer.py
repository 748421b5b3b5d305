"""Input and result of a charging plan: plain values, as the API and the command line show them."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec

from planning.charging.connection import Connection
from planning.charging.draws import Spread
from planning.charging.vehicles import Vehicles

Power = Spread  # kW at 5, 50 and 95 % of the draws


class PlanInput(msgspec.Struct, frozen=True, kw_only=True):
    """The request for a plan. `allowed`: share of the energy that management may leave unserved.

    `day`: for which day's rules; `vehicles`: scales the sessions to this use, None takes them as recorded.
    """

    points: int
    kw: float = 11.0
    connection: Connection
    vehicles: Vehicles | None = None
    allowed: float = 0.005
    draws: int = 300
    seed: int = 1
    day: date


class Option(msgspec.Struct, frozen=True):
    """One solution. `shortfall`: share of the energy that cannot be in the cars by plug-out."""

    name: str
    kw: float
    p95_kw: float
    fits: bool
    shortfall: float
    text: str


class Contribution(msgspec.Struct, frozen=True):
    """What one assumption adds to the planned peak."""

    what: str
    kw: float


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """The answer. Power in kW, shares 0 to 1; `first_over`: first number of points whose p95 exceeds the connection."""

    points: int
    kw: float
    interval_min: float
    days: float
    users: int
    draws: int
    seed: int
    connection_kw: float
    base_peak_kw: float
    energy_day_kwh: float
    energy_year_kwh: float
    unmanaged: Power
    demand_factor: Spread
    coincidence: Spread
    headroom_kw: float
    first_over: int | None
    looked_up_to: int
    managed_kw: float
    managed_shortfall: float
    options: tuple[Option, ...]
    recommended: str
    floor_14a_kw: float | None
    tariff: Power | None
    contributions: tuple[Contribution, ...]
    notes: tuple[str, ...]


def as_plain(plan: Plan) -> dict[str, Any]:
    """The plan as plain values with names, as JSON shows it."""
    plain: dict[str, Any] = msgspec.to_builtins(plan)
    for name in ("unmanaged", "demand_factor", "coincidence", "tariff"):
        value = getattr(plan, name)
        plain[name] = None if value is None else value._asdict()
    return plain
