"""Scenarios: the measured windows, transformed, through the same catalogue, with draws. Pure; deterministic for a seed.

    measured hours -> engine -> baseline values
          | transforms (planning/transforms/)
    changed hours  -> engine -> values of the scenario, one set a draw -> 5, 50 and 95 %

There is no second formula: every value is made by the engine and the derivation of its KPI. What differs by draw is
load that is added; it counts as one more meter. The values are planned values: they are labelled, and nothing stores
or publishes them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import msgspec
import numpy as np

from kpi_derivation.catalogue import DERIVATIONS, KPIS
from kpi_derivation.engine.days.demand import Demand, highest, together
from kpi_derivation.engine.derived import QUARTER
from kpi_derivation.engine.recent import History
from kpi_derivation.engine.runner import Engine
from kpi_derivation.engine.values import kpi_value
from planning.charging import draws
from planning.charging.sessions import Sessions
from planning.curves import averaged
from planning.feeders import FeederResult, feeder_results
from planning.measured import LoadCurves, engine_over, load_curves, view_of
from planning.one_draw import ENERGY, Draws
from planning.rebuilt import Changed, Nothing, added_hours, drawn_days, export_device
from planning.situation import Situation
from planning.transforms import applied
from registry.city import City, Device
from telemetry.errors import UsageError
from telemetry.kpi_value import KpiValue
from telemetry.partials import Partials
from telemetry.periods import Period
from telemetry.series import FloatArray, IntArray, Series, SeriesTable
from telemetry.windows import DAY

DRAWN = "scenario-load-"  # the meters of what differs by draw
_METERED = {"energy_delta", "energy_total", "power", "demand_15min"}


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """What is tried. `transforms`: entries as in a scenario file, applied in this order."""

    name: str
    transforms: tuple[dict[str, Any], ...] = ()
    draws: int = 300
    seed: int = 1


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """One KPI (part) as measured and in the scenario; None where it has no value. `method` is marked as a scenario."""

    code: str
    part: str
    name: str
    unit: str
    baseline: float | None
    p5: float | None
    p50: float | None
    p95: float | None
    changed: bool
    method: str
    notes: str


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """A scenario beside its baseline. `notes`: what was assumed."""

    scenario: str
    city: str
    period: str
    draws: int
    seed: int
    interval_min: float | None
    values: tuple[Planned, ...]
    feeders: tuple[FeederResult, ...]
    notes: tuple[str, ...]
    label: str = "scenario: planned values, not measured"


class Measured(NamedTuple):
    """What a scenario starts from. `now`: UTC ms; `sessions`: recorded charging for added cars."""

    city: City
    history: History
    period: Period
    now: int
    sessions: Sessions | None = None


def run(scenario: Scenario, measured: Measured) -> Outcome:
    """The scenario and its baseline. Raises UsageError where the city has no data for it; nothing is stored."""
    if not 1 <= scenario.draws <= 10_000:
        raise UsageError(f"draws = {scenario.draws}: write a number from 1 to 10000.")
    city, period = measured.city, measured.period
    engine = engine_over(city, measured.history, period, curves=True)
    baseline = engine.derive(period, measured.now)
    if all(v.value is None or v.n_devices == 0 for v in baseline):
        raise UsageError(f"The store has no measured value of '{city.id}' in {period.label}; choose another period.")
    now = _start(scenario, measured, engine)
    for entry in scenario.transforms:
        now = applied(now, entry)
    drawn = _drawn(now)
    changed = _engine_of(now, measured, engine, drawn is not None)
    values = list(_values(now, drawn, changed, measured, baseline))
    return Outcome(
        scenario=scenario.name, city=city.id, period=period.label, draws=1 if drawn is None else now.draws,
        seed=scenario.seed, interval_min=None if now.curves is None else now.interval * now.curves.grid.minutes,
        values=tuple(values), feeders=tuple(feeder_results(now)), notes=now.notes,
    )  # fmt: skip


def _start(scenario: Scenario, measured: Measured, engine: Engine) -> Situation:
    table = SeriesTable()

    def hours(name: tuple[str, str]) -> Partials:
        series = np.array([table.id_of(Series(measured.city.id, *name))], dtype=np.int64)
        start, end = measured.period.start, measured.period.end
        read = measured.history.partials(measured.city.id, "hour", start, end, table, series)
        found = Partials.concat([part.take(part.series == series[0]) for part in read])
        return found.latest()

    curves: LoadCurves | None
    try:
        curves = load_curves(engine, measured.period)
    except UsageError:
        curves = None  # a scenario on air needs no meters
    return Situation(measured.city, measured.period, curves, hours, scenario.draws, scenario.seed, measured.sessions)


def _drawn(now: Situation) -> FloatArray | None:
    """The load that differs by draw, kW; shape (draws, intervals). None where nothing does."""
    if now.fleet is None:
        return None if now.drawn is None else averaged(now.drawn, now.interval)
    grid = now.measured.grid
    out = np.zeros((now.draws, grid.slots)) if now.drawn is None else now.drawn.copy()
    own = now.fleet.profiles(grid)
    for draw in range(now.draws):
        out[draw] += now.fleet.curve(draw, own, grid)
    return averaged(out, now.interval)


def _engine_of(now: Situation, measured: Measured, before: Engine, curves: bool) -> Engine:
    """The engine over the changed hours, without what is drawn; the measured one where no window changed.

    `curves`: its load curves are asked for.
    """
    if not _windows_change(now) and now.city == measured.city:
        return before
    city, table = _registered(now), SeriesTable()
    history = Changed(measured.history, now.scaled, now.rows, set(now.loads), added_hours(now, city, table))
    return engine_over(city, history, now.period, table, curves)


def _windows_change(now: Situation) -> bool:
    return bool(now.loads or now.scaled or now.rows or now.added)


def _engine_of_drawn(now: Situation, drawn: FloatArray, city: City) -> Engine:
    """The engine over the meters of what is drawn alone; `city`: has all devices but these."""
    every, table = city.model_copy(update={"device": [*city.device, *_drawn_devices(now)]}), SeriesTable()
    ids = [table.id_of(Series(city.id, f"{DRAWN}{i}", ENERGY)) for i in range(len(drawn))]
    hours = drawn_days(drawn, now.measured.grid, city.zone, ids)
    return engine_over(every, Changed(Nothing(), {}, {}, set(), hours), now.period, table)


def _registered(now: Situation) -> City:
    """The city file with the devices that the scenario changes and adds."""
    kept = [_metered(d) if d.id in now.loads else d for d in now.city.device]
    fed_in = [export_device()] if now.surplus else []
    return now.city.model_copy(update={"device": [*kept, *(a.device for a in now.added), *fed_in]})


def _metered(device: Device) -> Device:
    """The device as it sends what the scenario makes of its load."""
    return replace(device, quantities=(ENERGY,), interval_s=900.0, calibration=())


def _drawn_devices(now: Situation) -> list[Device]:
    return [_drawn_device(i, now) for i in range(now.draws)]


def _drawn_device(draw: int, now: Situation) -> Device:
    return Device(
        id=f"{DRAWN}{draw}", kind="electricity_meter", quantities=(ENERGY,), interval_s=DAY / 1000.0,
        smart=False, demand_response=now.managed_points > 0, customers=float(max(now.managed_points, 1)),
    )  # fmt: skip


def _values(
    now: Situation, drawn: FloatArray | None, engine: Engine, measured: Measured, baseline: list[KpiValue]
) -> Iterator[Planned]:
    """Each value as measured and in the scenario, in the order of code and part."""
    before = {(v.code, v.part): v for v in baseline}
    if drawn is None:
        made = {(v.code, v.part): [v] for v in engine.derive(now.period, measured.now)}
    else:
        made = _by_draw(now, drawn, engine, measured.now)
    for key in sorted(before.keys() | made.keys()):
        yield _planned(before.get(key), made.get(key, []), KPIS[key[0]].name)


def _planned(before: KpiValue | None, after: list[KpiValue], name: str) -> Planned:
    some = after[0] if after else before
    assert some is not None  # noqa: S101 - the key came from one of the two
    numbers = [v.value for v in after if v.value is not None]
    old = None if before is None else before.value
    low: float | None = None
    mid: float | None = None
    high: float | None = None
    if numbers and len(numbers) == len(after):
        exact = len(set(numbers)) == 1  # a percentile of equal values may differ in the last bit
        low, mid, high = (numbers[0],) * 3 if exact else draws.spread(np.array(numbers))
    return Planned(
        code=some.code, part=some.part, name=name, unit=some.unit, baseline=old, p5=low, p50=mid, p95=high,
        changed=old != mid or low != high, method=f"{some.method} + scenario", notes=some.notes,
    )  # fmt: skip


def _by_draw(now: Situation, drawn: FloatArray, engine: Engine, clock: int) -> dict[tuple[str, str], list[KpiValue]]:
    """The values of every draw: of its own load beside what all draws share.

    The city is the same in every draw, with one meter for what is added; what this meter counted is that of the draw.
    """
    load = _Load.of(_shared_curves(now, engine), drawn)
    own, meters = _engine_of_drawn(now, drawn, engine.city), _drawn_devices(now)
    for one in (engine, own):  # so that each keeps what every derivation reads
        one.derive(now.period, clock)
    city = engine.city.model_copy(update={"device": [*engine.city.device, meters[0]]})
    draws_of = Draws(view_of(engine, now.period, clock), view_of(own, now.period, clock), meters[0].id, city)
    asked = {code: engine.record.quantities(code) | own.record.quantities(code) for code in DERIVATIONS}
    touched = [d for code, d in DERIVATIONS.items() if not asked[code] or asked[code] & _METERED]
    found: dict[tuple[str, str], list[KpiValue]] = {}
    for draw, meter in enumerate(meters):
        one_draw = draws_of.view(meter.id, load.reader(draw))
        for derivation in touched if draw else DERIVATIONS.values():
            for value in (kpi_value(one_draw, derivation, part, clock) for part in derivation.derive(one_draw)):
                found.setdefault((value.code, value.part), []).append(value)
    return found


def _shared_curves(now: Situation, engine: Engine) -> LoadCurves:
    """The load curves without what is drawn: the measured ones where no window changed."""
    if _windows_change(now):
        return load_curves(engine, now.period)
    return now.measured


class _Load(NamedTuple):
    """All shared load together, of how many meters, from when on; the meters' own peaks; what the draws add."""

    total: FloatArray
    meters: IntArray
    start: int
    own: FloatArray
    known_ms: float
    drawn: FloatArray

    @staticmethod
    def of(curves: LoadCurves, drawn: FloatArray) -> _Load:
        """From the load curves of the shared meters."""
        own = np.where(np.isnan(curves.kw), -np.inf, curves.kw).max(axis=1)
        known = float((~np.isnan(curves.kw)).sum()) * QUARTER
        return _Load(*together(curves.kw), curves.grid.start, own[own > -np.inf], known, drawn)

    def reader(self, draw: int) -> Any:  # noqa: ANN401 - the engine's DemandReader
        """The demand of one draw, as a view reads it."""

        def read(first: int, last: int) -> Demand:  # noqa: ARG001 - always of the period
            more = self.drawn[draw]
            peak = highest(self.total + more, self.meters + 1, self.start)
            return Demand(peak, np.append(self.own, more.max()), self.known_ms + len(more) * QUARTER)

        return read
