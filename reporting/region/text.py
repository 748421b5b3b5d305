"""Region, peers, twins and index as table, JSON or CSV. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from reporting.index.workbench import Result
from reporting.region.heat_map import HeatMap
from reporting.region.profile import Profile
from reporting.region.statistics import Distance
from reporting.region.twins import Twins
from reporting.tables import number, printed

_PROFILE_FOOT = (
    "performance and points: means of the cities' evaluations against their own targets; region: as one area, made as"
    " `how` says; people: share of the inhabitants in cities with a value; far: robust z over 3.5 within the group"
)


def profile_text(found: Sequence[Profile], form: str, width: int) -> str:
    """A row for each figure."""
    head = (
        "KPI", "part", "name", "unit", "reported", "people", "performance", "points", "region", "how", "lowest", "q1",
        "median", "q3", "highest", "best", "far from its group", "notes",
    )  # fmt: skip
    foot = _PROFILE_FOOT if found else "no city has a value of this period"
    return printed(form, found, [head, *map(_profile_row, found)], width, foot)


def _profile_row(p: Profile) -> list[str]:
    q = p.quartiles
    spread = [number(v) for v in (q.lowest, q.q1, q.median, q.q3, q.highest)] if q else [""] * 5
    far = ", ".join(f"{f.city} {number(f.value)} (z {f.z:.1f})" for f in p.far[:5])
    more = f" and {len(p.far) - 5} more" if len(p.far) > 5 else ""
    few = f"too few to say in {len(p.too_few)} groups" if p.too_few and not far else ""
    return [
        p.code, p.part, p.name, p.unit, f"{p.reported}/{p.cities}", _percent(p.people), _percent(p.performance),
        "" if p.points is None else f"{p.points:.2f}", number(p.value), p.how, *spread, p.best, far + more or few,
        "; ".join(p.notes),
    ]  # fmt: skip


def heat_map_text(found: HeatMap, form: str, width: int) -> str:
    """A row for each city, a column for each category: scores in %."""
    rows = [["city", "name", *found.categories]]
    for city, name, shares in zip(found.cities, found.names, found.shares, strict=True):
        rows.append([city, name, *("" if s is None else f"{100 * s:.0f}" for s in shares)])
    return printed(form, found, rows, width, "points over 4 x scored figures, %; empty: nothing is scored")


def peers_text(found: Sequence[Distance], names: dict[str, str], form: str, width: int) -> str:
    """The nearest cities with their distance and the variables it is calculated from."""
    rows = [["city", "name", "distance", "variables"]]
    rows += [[d.city, names[d.city], f"{d.distance:.4f}", ", ".join(d.variables)] for d in found]
    return printed(form, found, rows, width, "Gower's distance, ranges over all cities, population in log; a proposal")


def twins_text(found: Twins, form: str, width: int) -> str:
    """The gaps, largest first."""
    rows = [["KPI", "part", "name", "unit", found.ours, found.theirs, "target", "ours", "theirs", "gap", "practice"]]
    for g in found.gaps:
        numbers = [number(g.ours), number(g.theirs), number(g.target)]
        shares = [_percent(g.our_performance), _percent(g.their_performance), f"{100 * g.gap:+.1f}"]
        rows.append([g.code, g.part, g.name, g.unit, *numbers, *shares, "; ".join(g.practices)])
    out = "; ".join(f"{name}: {why}" for name, why in list(found.left_out.items())[:10])
    foot = "gap: their performance - ours, points of %, against our targets" + (f". Left out: {out}" if out else "")
    return printed(form, found, rows, width, foot)


def index_text(found: Result, form: str, width: int) -> str:
    """The standings with their rank intervals, and what was chosen."""
    c = found.choice
    rows = [["rank", "city", "score", "rank 5-95 %", "first", "figures"]]
    for s in found.standings:
        interval = "" if s.low is None or s.high is None else f"{s.low:g} to {s.high:g}"
        rows.append([str(s.rank or ""), s.city, number(s.score), interval, _percent(s.first), str(s.figures)])
    foot = (
        f"{found.note}. Chosen: {c.normalisation}, {c.weights} weights, {c.aggregation} mean; interval over {c.draws:,}"
        f" random weightings x 2 means x 2 normalisations (seed {c.seed})"
    )
    return printed(form, found, rows, width, foot)


def _percent(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.1f} %"
