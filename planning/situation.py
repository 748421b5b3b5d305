"""What a scenario works on: the measured city, and what the transforms have changed of it so far. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from planning.charging import draws
from planning.charging.draw_sessions import sessions_of
from planning.charging.draws import Orders
from planning.charging.managed import schedule
from planning.charging.profiles import Profile, profiles
from planning.charging.sessions import Sessions
from planning.curves import own_interval
from planning.grid import Grid
from planning.measured import LoadCurves
from registry.city import City, Device
from telemetry.errors import UsageError
from telemetry.partials import Partials
from telemetry.periods import Period
from telemetry.series import FloatArray, IntArray

Name = tuple[str, str]  # device, quantity


@dataclass(frozen=True, slots=True)
class Fleet:
    """Electric cars that are added: whose sessions, who is in which draw, how many, at which power.

    `limit`: kW of each interval within which they charge, earliest deadline first; None: as they come.
    """

    sessions: Sessions
    chosen: Orders
    n: int
    kw: float
    limit: FloatArray | None = None

    def profiles(self, grid: Grid) -> list[Profile]:
        """The users' profiles as they come."""
        return profiles(self.sessions, self.kw, grid)

    def curve(self, draw: int, own: list[Profile], grid: Grid) -> FloatArray:
        """The power of one draw, kW."""
        users, moves = self.chosen.user[draw, : self.n], self.chosen.move[draw, : self.n]
        if self.limit is None:
            return draws.sum_of(own, users, moves, grid)
        return schedule(sessions_of(self.sessions, users, moves, grid), self.kw, self.limit, grid).kw


@dataclass(frozen=True, slots=True)
class Added:
    """A device that the scenario adds, and the energy it counts in each interval, kWh."""

    device: Device
    kwh: FloatArray


@dataclass(frozen=True, slots=True)
class Situation:
    """The city as the transforms left it.

    `curves`: measured load of every meter; `loads`: meters whose load is another one now, kW; `surplus`: what these
    feed in, kW; `scaled`: factor on all readings of a series; `rows`: hours of a series that replace the measured
    ones; `drawn`: load that differs by draw, kW, (draws, intervals). `hours` reads the measured hours of a series.
    """

    city: City
    period: Period
    curves: LoadCurves | None
    hours: Callable[[Name], Partials]
    draws: int
    seed: int
    sessions: Sessions | None = None
    loads: dict[str, FloatArray] = field(default_factory=dict)
    surplus: dict[str, FloatArray] = field(default_factory=dict)
    scaled: dict[Name, float] = field(default_factory=dict)
    rows: dict[Name, Partials] = field(default_factory=dict)
    added: tuple[Added, ...] = ()
    fleet: Fleet | None = None
    drawn: FloatArray | None = None
    managed_points: int = 0
    notes: tuple[str, ...] = ()

    def but(self, *notes: str, **changes: object) -> Situation:
        """A copy with these changes and more notes."""
        return replace(self, notes=(*self.notes, *notes), **changes)  # type: ignore[arg-type]

    def load(self, meter: str) -> FloatArray:
        """The load of a meter as it is now, kW, NaN where nothing was measured."""
        if meter in self.loads:
            return self.loads[meter]
        found: FloatArray = self.measured.of([meter])[0]
        return found

    @property
    def customers(self) -> IntArray:
        """How many homes are behind each measured meter: one, or those of a substation."""
        of = {d.id: d.customers for d in self.city.device}
        return np.array([max(round(of.get(name, 1.0)), 1) for name in self.measured.meters], dtype=np.int64)

    @property
    def interval(self) -> int:
        """Over how many intervals of the grid the meters' means run; added load is averaged over as many."""
        return own_interval(self.measured.kw)

    @property
    def measured(self) -> LoadCurves:
        """The measured load curves. Raises UsageError where no meter has any."""
        if self.curves is None:
            raise UsageError(
                f"No electricity meter of '{self.city.id}' has quarters of an hour in {self.period.label}; this "
                "scenario changes loads and needs them."
            )
        return self.curves

    def together(self) -> FloatArray:
        """The load of all meters together as it is now, kW; a missing interval adds nothing."""
        loads = np.array([self.load(meter) for meter in self.measured.meters])
        return np.asarray(np.nansum(loads, axis=0))
