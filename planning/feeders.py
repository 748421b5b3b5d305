"""Feeders and transformers of the city file: what a load does to each. Pure."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import numpy as np

from planning.charging import draws
from planning.charging.connection import Loading, life_used, loading
from planning.curves import averaged
from planning.situation import Fleet, Situation
from registry.target import Feeder
from telemetry.series import FloatArray


class FeederResult(msgspec.Struct, frozen=True, kw_only=True):
    """A feeder as measured and in the scenario. `highest`: share of the rating at the peak; kW and hours.

    `life_hours`: hours of normal life that the period uses up, against `hours` of the period (IEC 60076-7, steady
    state at 20 degrees C: an upper bound for short peaks). `cars`: how many are added here.
    """

    id: str
    rating_kva: float
    meters: int
    cars: int
    hours: float
    highest: float
    hours_over: float
    headroom_kw: float
    life_hours: float
    scenario_highest: float
    scenario_highest_p95: float
    scenario_hours_over: float
    scenario_headroom_p95_kw: float
    scenario_life_hours: float


def feeder_results(now: Situation) -> Iterator[FeederResult]:
    """One result a feeder whose meters have load curves; cars are spread by the number of homes."""
    if now.curves is None:
        return
    homes, start = dict(zip(now.curves.meters, now.customers.tolist(), strict=True)), 0
    for feeder in now.city.feeder:
        meters = [name for name in feeder.meters if name in homes]
        if meters:
            share = sum(homes[name] for name in meters) / sum(homes.values())
            cars = 0 if now.fleet is None else round(now.fleet.n * share)
            yield _result(now, feeder, meters, start, cars)
            start += cars


def _result(now: Situation, feeder: Feeder, meters: list[str], start: int, cars: int) -> FeederResult:
    grid = now.measured.grid
    measured = np.nansum(now.measured.of(meters), axis=0)
    shared = np.nansum(np.array([now.load(name) for name in meters]), axis=0)
    before = loading(measured, feeder.rating_kva, grid, feeder.cos_phi)
    rating = feeder.rating_kva * feeder.cos_phi
    after, lives = zip(*_draws(now, feeder, shared, start, cars), strict=True)
    spread = draws.spread(np.array([found.highest for found in after]))
    return FeederResult(
        id=feeder.id, rating_kva=feeder.rating_kva, meters=len(meters), cars=cars, hours=grid.slots * grid.hours,
        highest=before.highest, hours_over=before.hours_over, headroom_kw=before.headroom_kw,
        life_hours=life_used(measured / rating, AMBIENT, grid),
        scenario_highest=spread.p50, scenario_highest_p95=spread.p95,
        scenario_hours_over=float(np.median([found.hours_over for found in after])),
        scenario_headroom_p95_kw=float(np.percentile([found.headroom_kw for found in after], 5.0)),
        scenario_life_hours=float(np.median(lives)),
    )  # fmt: skip


AMBIENT = 20.0


def _draws(
    now: Situation, feeder: Feeder, shared: FloatArray, start: int, cars: int
) -> Iterator[tuple[Loading, float]]:
    """The loading of each draw, and the life it uses; of one where nothing differs."""
    grid, rating = now.measured.grid, feeder.rating_kva * feeder.cos_phi
    fleet = _part(now.fleet, start, cars)
    own = [] if fleet is None else fleet.profiles(grid)
    for draw in range(now.draws if fleet is not None else 1):
        load = shared if fleet is None else shared + averaged(fleet.curve(draw, own, grid), now.interval)
        yield loading(load, feeder.rating_kva, grid, feeder.cos_phi), life_used(load / rating, AMBIENT, grid)


def _part(fleet: Fleet | None, start: int, cars: int) -> Fleet | None:
    """The cars of one feeder; a limit of all cars is shared by their number."""
    if fleet is None or cars == 0 or start + cars > fleet.chosen.user.shape[1]:
        return None
    chosen = draws.Orders(fleet.chosen.user[:, start : start + cars], fleet.chosen.move[:, start : start + cars])
    limit = None if fleet.limit is None else fleet.limit * cars / fleet.n
    return Fleet(fleet.sessions, chosen, cars, fleet.kw, limit)
