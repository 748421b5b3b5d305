"""`cityvitals plan charging`: sessions from a file, the building's load from the store, the plan as text or JSON."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import msgspec

from adapters.store import Store
from cityvitals.plan.session_file import read_sessions
from planning.by_rule import RulePlan, plan_by_rule
from planning.charging.answer import Plan, PlanInput
from planning.charging.calculator import Site, plan
from planning.charging.connection import Connection
from planning.charging.sessions import Sessions
from planning.charging.vehicles import Vehicles
from planning.grid import Grid
from planning.measured import Limited, amps_of, cheap_moments, engine_over, load_curves, parse_span, season_shift
from registry.city import City
from reporting.show import stored_city
from telemetry.errors import UsageError
from telemetry.series import FloatArray
from telemetry.windows import DAY

import numpy as np  # isort: skip


@dataclass(frozen=True, slots=True)
class Asked:
    """The options of the command, as they were given."""

    points: int
    kw: float
    connection: str
    volts: float = 400.0
    cos_phi: float = 0.95
    city: str = ""
    meters: tuple[str, ...] = ()
    period: str = ""
    km: float | None = None
    kwh_per_100km: float = 20.0
    at_home: float = 0.9
    shortfall: float = 0.005
    cheap_hour: float = 22.0
    least_kwh: float = 100.0
    draws: int = 300
    seed: int = 1


def made(asked: Asked, sessions_file: Path, store: Store | None, today: date) -> tuple[Plan, list[str]]:
    """The plan, and what was wrong with the sessions. Raises UsageError."""
    sessions, bad = read_sessions(sessions_file)
    wanted = wanted_of(asked, today)
    if store is None:
        city, grid, base = None, _whole_days(sessions), None
    else:
        city, grid, base = _load(asked, store)
        last = int(sessions.start.max())
        sessions = sessions.shifted(season_shift(grid.start, grid.end, int(sessions.start.min()), last))
    cheap = cheap_moments(grid, city, asked.cheap_hour) if city else _cheap_utc(grid, asked.cheap_hour)
    return plan(wanted, Site(grid, sessions, base, cheap, asked.least_kwh)), bad


def ruled(asked: Asked, store: Store | None, today: date) -> RulePlan:
    """The plan without sessions: by demand factors of another site. Raises UsageError."""
    wanted = wanted_of(asked, today)
    base = None if store is None else _load(asked, store)[2]
    return plan_by_rule(wanted.points, wanted.kw, wanted.connection, base, wanted.vehicles or Vehicles())


def _load(asked: Asked, store: Store) -> tuple[City, Grid, FloatArray]:
    """The city, and the load of the building's meters together; NaN where none was measured."""
    city = stored_city(store, asked.city)
    period = parse_span(asked.period, city)
    engine = engine_over(_with_meters(city, asked.meters), Limited(store, 0, 1 << 53, asked.meters or None), period)
    curves = load_curves(engine, period)
    chosen = curves.of(asked.meters) if asked.meters else curves.kw
    missing = np.isnan(chosen).all(axis=0)
    return city, curves.grid, np.where(missing, np.nan, np.nan_to_num(chosen).sum(axis=0))


def wanted_of(asked: Asked, today: date) -> PlanInput:
    """What is asked of the calculator. Raises UsageError for numbers that mean nothing."""
    for name, value, low, high in (
        ("--points", asked.points, 1, 10_000),
        ("--kw", asked.kw, 0.1, 1000),
        ("--cos-phi", asked.cos_phi, 0.1, 1),
        ("--shortfall", asked.shortfall, 0, 1),
        ("--draws", asked.draws, 1, 10_000),
        ("--cheap-hour", asked.cheap_hour, 0, 24),
    ):
        if not low <= value <= high:
            raise UsageError(f"{name} {value:g}: write a number from {low:g} to {high:g}.")
    amps, phases = amps_of(asked.connection)
    volts = asked.volts if phases == 3 else asked.volts / 3**0.5
    vehicles = None if asked.km is None else Vehicles(asked.km, asked.kwh_per_100km, asked.at_home)
    return PlanInput(
        points=asked.points, kw=asked.kw, connection=Connection(amps, volts, phases, asked.cos_phi), vehicles=vehicles,
        allowed=asked.shortfall, draws=asked.draws, seed=asked.seed, day=today,
    )  # fmt: skip


def _with_meters(city: City, meters: tuple[str, ...]) -> City:
    """The city with only these meters. Raises UsageError for a device that is not one."""
    known = {d.id for d in city.device if d.kind == "electricity_meter"}
    for name in meters:
        if name not in known:
            raise UsageError(f"'{name}' is not an electricity meter of '{city.id}'.")
    kept = [d for d in city.device if d.id in meters] if meters else city.device
    return city.model_copy(update={"device": kept})


def _whole_days(sessions: Sessions) -> Grid:
    """All days (UTC) on which sessions start."""
    return Grid.over(int(sessions.start.min()) // DAY * DAY, (int(sessions.start.max()) // DAY + 1) * DAY)


def _cheap_utc(grid: Grid, hour: float) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """The cheap hour of every day in UTC, where no city says which time zone it is."""
    return grid.start // DAY * DAY + round(hour * 3_600_000) + DAY * np.arange(int(grid.days) + 2, dtype=np.int64)


def as_json(made_plan: Plan, bad: list[str]) -> str:
    """The plan as JSON."""
    plain = msgspec.to_builtins(made_plan) | {"rejected_rows": bad}
    for name in ("unmanaged", "demand_factor", "coincidence", "tariff"):
        value = getattr(made_plan, name)
        plain[name] = None if value is None else value._asdict()
    return msgspec.json.format(msgspec.json.encode(plain), indent=2).decode() + "\n"


def rule_text(p: RulePlan) -> str:
    """The plan by rule as a few lines."""
    over = "any number of points fits" if p.first_over is None else f"{p.first_over - 1} points fit at p95"
    lines = [
        f"{p.points} charging points of {p.kw:g} kW on a connection of {p.connection_kw:.1f} kW",
        "",
        f"  energy                {p.energy_day_kwh:10,.0f} kWh a day, {p.energy_year_kwh:,.0f} kWh a year",
        f"  building's peak       {p.base_peak_kw:10.1f} kW",
        f"  peak with charging    {p.p50_kw:10.1f} kW, {p.p95_kw:.1f} kW at p95",
        f"  demand factor         {p.demand_factor_p50:10.3f}    ({p.demand_factor_p95:.3f} at p95; "
        f"{p.points} points, 15 min)",
        f"  headroom at p95       {p.headroom_kw:+10.1f} kW: {over}",
        "",
        *(f"  note: {n}" for n in p.notes),
    ]
    return "\n".join(lines) + "\n"


def as_text(p: Plan, bad: list[str]) -> str:
    """The plan as a page of text."""
    u, df, cf = p.unmanaged, p.demand_factor, p.coincidence
    lines = [
        f"{p.points} charging points of {p.kw:g} kW on a connection of {p.connection_kw:.1f} kW",
        "",
        f"  energy                {p.energy_day_kwh:10,.0f} kWh a day, {p.energy_year_kwh:,.0f} kWh a year",
        f"  building's peak       {p.base_peak_kw:10.1f} kW",
        f"  peak, unmanaged       {u.p50:10.1f} kW (5 to 95 % of {p.draws} draws: {u.p5:.1f} to {u.p95:.1f} kW)",
        f"  demand factor         {df.p50:10.3f}    ({df.p5:.3f} to {df.p95:.3f}; {p.points} points, "
        f"{p.interval_min:g} min)",
        f"  coincidence factor    {cf.p50:10.3f}    ({cf.p5:.3f} to {cf.p95:.3f}; {p.points} points, "
        f"{p.interval_min:g} min)",
        f"  headroom at p95       {p.headroom_kw:+10.1f} kW",
        f"  fits without control  {_fits(p)}",
        f"  managed, chargers     {p.managed_kw:10.1f} kW are enough for them alone",
    ]
    if p.tariff is not None:
        lines.append(f"  all at the cheap hour {p.tariff.p50:10.1f} kW (up to {p.tariff.p95:.1f} kW)")
    if p.floor_14a_kw is not None:
        lines.append(f"  floor when dimmed     {p.floor_14a_kw:10.2f} kW (Germany, BK6-22-300)")
    lines += ["", "  solution          peak kW  fits  energy left short"]
    lines += [
        f"{'->' if o.name == p.recommended else '  '}{o.name:16}{o.p95_kw:9.1f}  {'yes' if o.fits else 'no ':4}"
        f"{100 * o.shortfall:9.2f} %     {o.text}"
        for o in p.options
    ]
    lines += ["", "  what the peak is made of"]
    lines += [f"  {c.kw:+10.1f} kW  {c.what}" for c in p.contributions]
    lines += ["", *(f"  note: {n}" for n in p.notes), *(f"  left out: {b}" for b in bad[:10])]
    return "\n".join(lines) + "\n"


def _fits(p: Plan) -> str:
    if p.first_over is None:
        return f"{p.looked_up_to:10d}    points or more"
    return f"{p.first_over - 1:10d}    points; the p95 of {p.first_over} exceeds the connection"
