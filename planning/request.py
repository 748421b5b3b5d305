"""A request to the calculator: charging points, a connection or a feeder, whose load, whose sessions. Pure.

The command and the API both plan through this module, so that the same question has the same answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

import numpy as np

from kpi_derivation.engine.recent import History
from planning.by_rule import RulePlan, plan_by_rule
from planning.charging.answer import Plan, PlanInput
from planning.charging.calculator import Site, plan
from planning.charging.connection import Connection
from planning.charging.sessions import Sessions
from planning.charging.vehicles import Vehicles
from planning.grid import Grid
from planning.measured import Limited, amps_of, cheap_moments, engine_over, load_curves, parse_span, season_shift
from registry.city import City
from registry.target import Feeder
from telemetry.errors import UsageError, nearest
from telemetry.series import FloatArray, IntArray
from telemetry.windows import DAY, HOUR


@dataclass(frozen=True, slots=True)
class Asked:
    """The question. `connection` as it is written (63A, 1x25A), or empty with a `feeder` of the city file."""

    points: int
    kw: float
    connection: str = ""
    volts: float = 400.0
    cos_phi: float = 0.95
    meters: tuple[str, ...] = ()
    feeder: str = ""
    period: str = ""
    km: float | None = None
    kwh_per_100km: float = 20.0
    at_home: float = 0.9
    shortfall: float = 0.005
    cheap_hour: float = 22.0
    least_kwh: float = 100.0
    draws: int = 300
    seed: int = 1


class Place(NamedTuple):
    """Whose load stands beside the charging: a city and its stored hours."""

    city: City
    history: History


def charging_plan(asked: Asked, sessions: Sessions, place: Place | None, today: date) -> Plan:
    """The plan of recorded sessions, beside the measured load where a place is given. Raises UsageError."""
    wanted = wanted_of(asked, place, today)
    if place is None:
        grid, base = _whole_days(sessions), None
        cheap = _cheap_utc(grid, asked.cheap_hour)
    else:
        grid, base = _load(asked, place)
        last = int(sessions.start.max())
        sessions = sessions.shifted(season_shift(grid.start, grid.end, int(sessions.start.min()), last))
        cheap = cheap_moments(grid, place.city, asked.cheap_hour)
    return plan(wanted, Site(grid, sessions, base, cheap, asked.least_kwh))


def rule_plan(asked: Asked, place: Place | None, today: date) -> RulePlan:
    """The plan without sessions: by demand factors of another site. Raises UsageError."""
    wanted = wanted_of(asked, place, today)
    base = None if place is None else _load(asked, place)[1]
    return plan_by_rule(wanted.points, wanted.kw, wanted.connection, base, wanted.vehicles or Vehicles())


def wanted_of(asked: Asked, place: Place | None, today: date) -> PlanInput:
    """What the calculator needs to know. Raises UsageError for numbers that make no sense."""
    for name, value, low, high in (
        ("points", asked.points, 1, 10_000),
        ("kw", asked.kw, 0.1, 1000),
        ("cos-phi", asked.cos_phi, 0.1, 1),
        ("shortfall", asked.shortfall, 0, 1),
        ("draws", asked.draws, 1, 10_000),
        ("cheap-hour", asked.cheap_hour, 0, 24),
    ):
        if not low <= value <= high:
            raise UsageError(f"{name} = {value:g}: write a number from {low:g} to {high:g}.")
    vehicles = None if asked.km is None else Vehicles(asked.km, asked.kwh_per_100km, asked.at_home)
    return PlanInput(
        points=asked.points, kw=asked.kw, connection=_connection(asked, place), vehicles=vehicles,
        allowed=asked.shortfall, draws=asked.draws, seed=asked.seed, day=today,
    )  # fmt: skip


def _connection(asked: Asked, place: Place | None) -> Connection:
    """The house connection, or the rating of the feeder. Raises UsageError where both or neither is given."""
    if (asked.connection == "") == (asked.feeder == ""):
        raise UsageError("Give either a connection such as 63A, or a feeder of the city file with its rating.")
    if not asked.feeder:
        amps, phases = amps_of(asked.connection)
        return Connection(amps, asked.volts if phases == 3 else asked.volts / 3**0.5, phases, asked.cos_phi)
    if place is None:
        raise UsageError("A feeder needs its city and a period of its load.")
    found = feeder_of(place.city, asked.feeder)
    return Connection(found.rating_kva * 1000.0 / (asked.volts * 3**0.5), asked.volts, 3, found.cos_phi)


def feeder_of(city: City, name: str) -> Feeder:
    """The feeder of the city file. Raises UsageError."""
    known = {f.id: f for f in city.feeder}
    if name not in known:
        hint = nearest(name, known) if known else "its file has no [[feeder]] entry."
        raise UsageError(f"'{name}' is not a feeder of '{city.id}'; {hint}")
    return known[name]


def meters_of(city: City, meters: tuple[str, ...], feeder: str = "") -> tuple[str, ...]:
    """The meters that are meant, empty for all of the city. Raises UsageError for a device that is not one."""
    known = [d.id for d in city.device if d.kind == "electricity_meter"]
    if feeder:
        return tuple(feeder_of(city, feeder).meters)
    for name in meters:
        if name not in known:
            hint = nearest(name, known) if known else "the city has no electricity meter."
            raise UsageError(f"'{name}' is not an electricity meter of '{city.id}'; {hint}")
    return tuple(sorted(set(meters)))


def _load(asked: Asked, place: Place) -> tuple[Grid, FloatArray]:
    """The load of the meters together, kW in each quarter; NaN where none was measured."""
    city, period = place.city, parse_span(asked.period, place.city)
    meters = meters_of(city, asked.meters, asked.feeder)
    kept = [d for d in city.device if d.id in meters] if meters else city.device
    history = Limited(place.history, 0, 1 << 53, meters or None)
    curves = load_curves(engine_over(city.model_copy(update={"device": kept}), history, period), period)
    return curves.grid, curves.total()


def _whole_days(sessions: Sessions) -> Grid:
    """All days (UTC) on which sessions start."""
    return Grid.over(int(sessions.start.min()) // DAY * DAY, (int(sessions.start.max()) // DAY + 1) * DAY)


def _cheap_utc(grid: Grid, hour: float) -> IntArray:
    """The cheap hour of every day in UTC, where no city gives its time zone."""
    return grid.start // DAY * DAY + round(hour * HOUR) + DAY * np.arange(int(grid.days) + 2, dtype=np.int64)
