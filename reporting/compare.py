"""`cityvitals kpi compare` and `kpi trend`: cities side by side with a region's profile; a city over the years."""

from __future__ import annotations

from collections.abc import Sequence, Set
from pathlib import Path

import msgspec

from adapters.store import Store
from reporting.basis import basis_of, coverages_differ, differences
from reporting.comparison import Line, compare
from reporting.figures.figures import Figure, figures
from reporting.figures.points import Point
from reporting.figures.stored import figures_of
from reporting.region.table import city_figures
from reporting.scoring import OUR_CHOICE, Target
from reporting.show import stored_city, wanted_codes
from reporting.snapshot import wanted_targets
from reporting.tables import printed
from reporting.trend import Distance, Trend, distance, trend
from telemetry.errors import UsageError
from telemetry.kpi_value import KpiQuery, KpiValue


def compared(store: Store, ids: Sequence[str], period_text: str, codes: Sequence[str]) -> list[Line]:
    """The lines of a comparison; all cities of the store where none is named. Raises UsageError."""
    chosen = list(dict.fromkeys(ids)) or [record.id for record in store.cities()]
    if not chosen:
        raise UsageError("The store contains no city yet; run `cityvitals replay` or `cityvitals kpi report` first.")
    found = []
    for city_id in chosen:
        city = stored_city(store, city_id)
        _, of_city = figures_of(store, city, period_text)
        found.append(city_figures(city, of_city))
    wanted = set(wanted_codes(codes)) if codes else None
    return [line for line in compare(found) if wanted is None or line.code in wanted]


def comparison_text(lines: Sequence[Line], form: str, width: int) -> str:
    """The lines as table, json or csv. Raises UsageError for another format."""
    foot = "(n): rank, 1 is best; region: made as `how` says; people: share of them covered"
    return printed(form, lines, _comparison_rows(lines), width, foot)


def _comparison_rows(lines: Sequence[Line]) -> list[list[str]]:
    cities = list(lines[0].values) if lines else []
    head = ["KPI", "part", "name", "unit", *cities, "region", "how", "people", "notes"]
    rows = [head]
    for line in lines:
        r = line.region
        people = "" if r.people is None else f"{100 * r.people:.0f} %"
        cells = [_ranked(line, city) for city in cities]
        rows.append(
            [line.code, line.part, line.name, line.unit, *cells, _number(r.value), r.how, people, "; ".join(line.notes)]
        )
    return rows


def _ranked(line: Line, city: str) -> str:
    rank = line.ranks.get(city)
    return _number(line.values[city]) + (f" ({rank})" if rank else "")


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"


class TrendLine(msgspec.Struct, frozen=True, kw_only=True):
    """One figure over the years."""

    code: str
    part: str
    name: str
    unit: str
    trend: Trend
    target: Distance | None
    notes: tuple[str, ...] = ()


def trends(store: Store, city_id: str, codes: Sequence[str], path: Path | None) -> list[TrendLine]:
    """The trend of every figure with a value, against the city's targets. Raises UsageError."""
    city = stored_city(store, city_id)
    wanted = wanted_targets(city, path)
    only = set(wanted_codes(codes)) if codes else None
    years: dict[Point, list[tuple[int, Figure]]] = {}
    stored = [v.kpi for v in store.kpis(KpiQuery(city.id, ["year"]))]
    for year, values in _by_year(stored):
        for f in figures(values):
            if f.value is not None and (only is None or f.code in only):
                years.setdefault((f.code, f.part), []).append((year, f))
    return [
        _trend_line(found, wanted.get(point), _partial_years(stored, point, {y for y, _ in found}))
        for point, found in years.items()
    ]


def _partial_years(values: Sequence[KpiValue], point: Point, known: Set[int]) -> list[str]:
    """The years of which only a part was measured, and that have no figure of the whole year."""
    return sorted(
        v.period
        for v in values
        if (v.code, v.part) == point and v.status == "partial" and v.value is not None and int(v.period) not in known
    )


def _trend_line(found: Sequence[tuple[int, Figure]], target: Target | None, partial: Sequence[str] = ()) -> TrendLine:
    """The trend over the years that are comparable with the newest; the others are named."""
    newest = basis_of(found[-1][1])
    line, notes = found[-1:], [f"{year} is left out: measured in a part of the year only" for year in partial]
    for year, f in reversed(found[:-1]):
        uneven = coverages_differ((f, found[-1][1]))
        differ = differences((basis_of(f), newest)) + ([uneven] if uneven else [])
        if differ:
            notes.append(f"{year} is left out: {'; '.join(differ)}")
        else:
            line = [(year, f), *line]
    made = trend([(year, f.value) for year, f in line if f.value is not None])
    f = found[-1][1]
    return TrendLine(
        code=f.code, part=f.part, name=f.kpi.name, unit=f.unit, trend=made,
        target=distance(made, target) if target else None, notes=tuple(notes),
    )  # fmt: skip


def _by_year(values: Sequence[KpiValue]) -> list[tuple[int, list[KpiValue]]]:
    """Final years, oldest first; a provisional year is not included."""
    found: dict[int, list[KpiValue]] = {}
    for value in values:
        if value.status == "final":
            found.setdefault(int(value.period), []).append(value)
    return sorted(found.items())


def trend_text(lines: Sequence[TrendLine], form: str, width: int) -> str:
    """The lines as table, json or csv. Raises UsageError for another format."""
    if form == "table" and not lines:
        return "No year has a final value yet. A year measured only in part is in no trend.\n"
    return printed(form, lines, _trend_rows(lines), width, OUR_CHOICE)


def _trend_rows(lines: Sequence[TrendLine]) -> list[list[str]]:
    rows = [
        [
            "KPI",
            "part",
            "name",
            "unit",
            "years",
            "newest",
            "change",
            "per year",
            "target",
            "missing",
            "reached",
            "notes",
        ]
    ]
    for line in lines:
        t, d = line.trend, line.target
        reached = "" if d is None else "yes" if d.reached else str(d.reached_in or "not reached")
        outlook = ["", "", ""] if d is None else [_number(d.target), _number(d.distance), reached]
        numbers = [_number(t.change), _number(t.per_year)]
        rows.append(
            [
                line.code,
                line.part,
                line.name,
                line.unit,
                str(t.years),
                f"{_number(t.last)} ({t.year})",
                *numbers,
                *outlook,
                "; ".join(line.notes),
            ]
        )
    return rows
