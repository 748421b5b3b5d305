"""The charging calculator: what n charging points need, from measured sessions and the building's own load. Pure.

    sessions -> profiles of users -> draws of n users + base load -> peaks -> what fits the connection
                        earliest deadline first under connection - base load -> what a managed site needs

Every result is a statement about the recorded users and the recorded year; the notes state from how many and how long.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from planning.charging import draws
from planning.charging.answer import Contribution, Option, Plan, PlanInput, Power
from planning.charging.connection import Connection
from planning.charging.dimming import Controllable, shared_floor
from planning.charging.draw_sessions import sessions_of
from planning.charging.managed import Schedule, schedule, smallest_limit
from planning.charging.profiles import Profile, profiles
from planning.charging.sessions import Sessions
from planning.grid import Grid
from telemetry.errors import UsageError
from telemetry.series import FloatArray, IntArray
from telemetry.windows import HOUR

SINGLE_PHASE_KW = 3.7
FUSES = (25, 35, 50, 63, 80, 100, 125, 160, 200, 250, 315, 400, 500, 630, 800, 1000)
SHORT_YEAR = 300  # days under which an energy a year is a bold extrapolation
GAPS = 0.25  # share of missing intervals above which a meter's data are too few


@dataclass(frozen=True, slots=True)
class Site:
    """Whose sessions, over which time. `base`: the building's load, kW in each slot of `grid`, NaN where missing.

    `sessions`: in the time of the grid; `cheap`: the moments (UTC ms) at which the cheap tariff begins.
    """

    grid: Grid
    sessions: Sessions
    base: FloatArray | None = None
    cheap: IntArray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    least_kwh: float = 100.0


@dataclass(frozen=True, slots=True)
class _Drawn:
    """What the draws are made from: the users who count, in the grid's time, and who takes part in which draw."""

    grid: Grid
    sessions: Sessions
    chosen: draws.Orders
    base: FloatArray
    n: int


def plan(wanted: PlanInput, site: Site) -> Plan:
    """The plan of `wanted.points` charging points at a site. Raises UsageError where it cannot be made."""
    limit = wanted.connection.kw
    base = _base(site, limit)
    drawn = _draw(wanted, site, base)
    own = profiles(drawn.sessions, wanted.kw, site.grid)
    with_base = draws.peaks(base, own, drawn.chosen, range(1, drawn.n + 1), site.grid)
    alone = draws.peaks(np.zeros(site.grid.slots), own, drawn.chosen, [drawn.n], site.grid)
    peak = draws.spread(with_base[:, -1])
    over, looked = _first_over(with_base, own, drawn, limit)
    managed, kept = _managed(wanted, drawn, alone[:, 0], limit)
    options = _options(wanted, drawn, peak, kept)
    year, day = _energy(drawn)
    return Plan(
        points=drawn.n, kw=wanted.kw, interval_min=site.grid.minutes, days=site.grid.days,
        users=len(drawn.sessions.users), draws=len(drawn.chosen.user), seed=wanted.seed,
        connection_kw=limit, base_peak_kw=float(base.max()), energy_day_kwh=day, energy_year_kwh=year,
        unmanaged=peak,
        demand_factor=draws.spread(draws.demand_factors(alone, [drawn.n], wanted.kw)[:, 0]),
        coincidence=draws.spread(draws.coincidence_factors(alone, own, drawn.chosen, [drawn.n])[:, 0]),
        headroom_kw=limit - peak.p95, first_over=over, looked_up_to=looked,
        managed_kw=managed, managed_shortfall=kept.shortfall, options=options,
        recommended=next(o.name for o in options if o.fits),
        floor_14a_kw=shared_floor([Controllable(wanted.kw)] * drawn.n, wanted.day),
        tariff=_tariff(wanted, site, drawn),
        contributions=_contributions(wanted, draws.spread(alone[:, 0]), peak, float(base.max()), managed),
        notes=tuple(_notes(wanted, site, drawn, over, looked)),
    )  # fmt: skip


def _first_over(found: FloatArray, own: list[Profile], drawn: _Drawn, limit: float) -> tuple[int | None, int]:
    """The first number of points whose p95 is over the limit, None where none is; and up to which it was looked for.

    `found`: peaks of 1 to n points; only where these fit, twice as many are tried.
    """
    if np.percentile(found[:, -1], 95.0) <= limit:
        most = drawn.chosen.user.shape[1]
        found = draws.peaks(drawn.base, own, drawn.chosen, range(1, most + 1), drawn.grid)
    p95 = np.percentile(found, 95.0, axis=0)
    over = np.flatnonzero(p95 > limit)
    return (int(over[0]) + 1 if len(over) else None), found.shape[1]


def _base(site: Site, limit: float) -> FloatArray:
    """The base load with gaps as 0. Raises UsageError where it has too many gaps or is over the connection already."""
    if site.base is None:
        return np.zeros(site.grid.slots)
    missing = float(np.isnan(site.base).mean())
    if missing > GAPS:
        raise UsageError(
            f"{100 * missing:.0f} % of the building's intervals are missing; at most {100 * GAPS:.0f} % may be. "
            "Choose a period in which the meter was read."
        )
    filled = np.nan_to_num(site.base)
    if filled.max() > limit:
        raise UsageError(
            f"The building alone reaches {filled.max():.1f} kW, more than the connection's {limit:.1f} kW: "
            "nothing is left for charging. Check the connection, or plan a larger one first."
        )
    return filled


def _draw(wanted: PlanInput, site: Site, base: FloatArray) -> _Drawn:
    inside = site.sessions.within(site.grid)
    if not len(inside):
        raise UsageError("No charging session starts in this period; give sessions of the period, or of another site.")
    if not (inside.user >= 0).any():
        raise UsageError(
            "The sessions name no users, so whole users cannot be drawn. Give sessions with a user each, or plan with "
            "vehicles alone."
        )
    regulars = inside.regulars(site.least_kwh)
    if not len(regulars):
        raise UsageError(f"No user charged more than {site.least_kwh:g} kWh in this period; lower the limit.")
    mine = inside.of_users(regulars)
    if wanted.vehicles is not None:
        mine = mine.scaled(wanted.vehicles.day_kwh / _day_per_user(mine, site.grid))
    most = max(2 * wanted.points, 20)
    chosen = draws.orders(len(mine.users), most, wanted.draws, wanted.seed, site.grid)
    return _Drawn(site.grid, mine, chosen, base, wanted.points)


def _day_per_user(sessions: Sessions, grid: Grid) -> float:
    return float(sessions.kwh.sum()) / len(sessions.users) / grid.days


def _energy(drawn: _Drawn) -> tuple[float, float]:
    """kWh a year and a day of n points."""
    day = _day_per_user(drawn.sessions, drawn.grid) * drawn.n
    return day * 365.0, day


def _managed(wanted: PlanInput, drawn: _Drawn, alone: FloatArray, limit: float) -> tuple[float, Schedule]:
    """The constant limit the chargers need, and the schedule under connection minus base load.

    Of the draw whose unmanaged peak is the 95th percentile: a draw in twenty needs more.
    """
    hard = int(np.argsort(alone, kind="stable")[round(0.95 * (len(alone) - 1))])
    users, moves = drawn.chosen.user[hard, : drawn.n], drawn.chosen.move[hard, : drawn.n]
    mine = sessions_of(drawn.sessions, users, moves, drawn.grid)
    least, _ = smallest_limit(
        mine, wanted.kw, drawn.grid, wanted.allowed, float(alone[hard]), _fine(float(alone[hard]))
    )
    return least, schedule(mine, wanted.kw, limit - drawn.base, drawn.grid)


def _fine(kw: float) -> float:
    """How finely a limit is looked for: to a hundredth of the unmanaged peak."""
    return max(kw / 100.0, 0.01)


def _peaks_at(drawn: _Drawn, kw: float, sessions: Sessions | None = None) -> Power:
    chosen = sessions or drawn.sessions
    own = profiles(chosen, kw, drawn.grid)
    return draws.spread(draws.peaks(drawn.base, own, drawn.chosen, [drawn.n], drawn.grid)[:, 0])


def left_short(sessions: Sessions, kw: float) -> float:
    """Share of the energy that `kw` cannot deliver by plug-out, of the sessions whose plug-out is known."""
    known = sessions.take(sessions.end > sessions.start)
    possible = kw * (known.end - known.start) / HOUR
    total = float(known.kwh.sum())
    return float(np.maximum(known.kwh - possible, 0.0).sum()) / total if total else 0.0


def _options(wanted: PlanInput, drawn: _Drawn, peak: Power, kept: Schedule) -> tuple[Option, ...]:
    """The solutions, cheapest first; the last always fits."""
    limit, single = wanted.connection.kw, _peaks_at(drawn, SINGLE_PHASE_KW)
    managed_peak = float((drawn.base + kept.kw).max())
    short = {kw: left_short(drawn.sessions, kw) for kw in (SINGLE_PHASE_KW, wanted.kw)}
    size = next_connection(wanted.connection, peak.p95)
    return (
        Option("single phase", SINGLE_PHASE_KW, single.p95, single.p95 <= limit, short[SINGLE_PHASE_KW],
               "every point at 3.7 kW, no management"),
        Option("unmanaged", wanted.kw, peak.p95, peak.p95 <= limit, short[wanted.kw],
               f"every point at {wanted.kw:g} kW, no management"),
        Option("managed", wanted.kw, managed_peak, kept.shortfall <= wanted.allowed, kept.shortfall,
               f"earliest deadline first, all together within {limit:.1f} kW minus the building's load"),
        Option("new connection", wanted.kw, peak.p95, True, short[wanted.kw],
               f"unmanaged with a connection of {size.amps:g} A ({size.kva:.1f} kVA)"),
    )  # fmt: skip


def next_connection(now: Connection, kw: float) -> Connection:
    """The smallest usual connection of the same kind that carries `kw`."""
    sizes = (now._replace(amps=float(amps)) for amps in FUSES)
    return next((c for c in sizes if c.kw >= kw), now._replace(amps=np.ceil(kw / now.kw * now.amps)))


def at_cheap_hour(sessions: Sessions, cheap: IntArray) -> Sessions:
    """The same sessions, each starting when the next cheap tariff begins, whatever its plug-out."""
    place = np.searchsorted(cheap, sessions.start)
    start = np.where(place < len(cheap), cheap[np.minimum(place, len(cheap) - 1)], sessions.start)
    return Sessions(start, sessions.end, sessions.kwh, sessions.user, sessions.users)


def _tariff(wanted: PlanInput, site: Site, drawn: _Drawn) -> Power | None:
    """The peak when everybody waits for the cheap hour: a stress case."""
    if not len(site.cheap):
        return None
    return _peaks_at(drawn, wanted.kw, at_cheap_hour(drawn.sessions, site.cheap))


def _contributions(
    wanted: PlanInput, alone: Power, peak: Power, base: float, managed: float
) -> tuple[Contribution, ...]:
    """What each assumption adds to or takes from the planned peak, kW, in the order in which they apply."""
    rated = wanted.points * wanted.kw
    return (
        Contribution("rated power of all points", rated),
        Contribution("not all charge at once (median of the draws)", alone.p50 - rated),
        Contribution("the building's own load at that time", peak.p50 - alone.p50),
        Contribution("a bad draw of users instead of the median (p95)", peak.p95 - peak.p50),
        Contribution("managed instead of unmanaged, chargers alone", managed - alone.p95),
        Contribution("the building's highest load, whenever it is", base),
    )


def _notes(wanted: PlanInput, site: Site, drawn: _Drawn, over: int | None, looked: int) -> list[str]:
    s, found = drawn.sessions, list[str]()
    users, days = len(s.users), drawn.grid.days
    found.append(
        f"{len(s):,} sessions of {users} users with over {site.least_kwh:g} kWh in {days:g} days; "
        f"energy a year is scaled from {days:g} days"
        + (f", fewer than {SHORT_YEAR}: seasons are missing" if days < SHORT_YEAR else "")
    )
    inside = site.sessions.within(site.grid)
    if inside.without_user:
        found.append(f"{inside.without_user} sessions without a user are in no draw")
    if s.without_end:
        found.append(f"{s.without_end} sessions without a plug-out can be served only as long as they would need alone")
    fast = s.faster_than(wanted.kw)
    if fast:
        found.append(f"{100 * fast:.1f} % of the sessions took their energy faster than {wanted.kw:g} kW")
    if drawn.n > users:
        found.append(f"{drawn.n} points and {users} users: users take part again, moved by whole weeks")
    if site.base is None:
        found.append("no building load was given: the connection serves the charging points alone")
    elif np.isnan(site.base).any():
        found.append(f"{100 * np.isnan(site.base).mean():.1f} % of the building's intervals are missing and count as 0")
    if wanted.vehicles is not None:
        found.append(f"session energy scaled to {wanted.vehicles.day_kwh:.2f} kWh a vehicle and day")
    if over is None:
        found.append(f"up to {looked} points stay within the connection at p95")
    return found
