"""`cityvitals plan charging`: sessions from a file, the building's load from the store, the plan as text or JSON."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import msgspec

from adapters.store import Store
from cityvitals.plan.session_file import read_sessions
from planning.by_rule import RulePlan
from planning.charging.answer import Plan, as_plain
from planning.request import Asked, Place, charging_plan, rule_plan
from reporting.show import stored_city


def made(asked: Asked, sessions_file: Path, place: Place | None, today: date) -> tuple[Plan, list[str]]:
    """The plan, and what was wrong with the sessions. Raises UsageError."""
    sessions, bad = read_sessions(sessions_file)
    return charging_plan(asked, sessions, place, today), bad


def ruled(asked: Asked, place: Place | None, today: date) -> RulePlan:
    """The plan without sessions: by demand factors of another site. Raises UsageError."""
    return rule_plan(asked, place, today)


def place_of(store: Store | None, city: str) -> Place | None:
    """The stored city and its hours. Raises UsageError."""
    return None if store is None else Place(stored_city(store, city), store)


def as_json(made_plan: Plan, bad: list[str]) -> str:
    """The plan as JSON."""
    plain = as_plain(made_plan) | {"rejected_rows": bad}
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
