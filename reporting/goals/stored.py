"""A city's goals against its stored values: the newest final year, and the months since. Reads a store."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from kpi_derivation.catalogue import KPIS
from registry.city import City
from registry.target import TargetEntry
from registry.toml import load
from reporting.figures.figures import Figure, figures
from reporting.figures.points import Point, unit_of
from reporting.goals.progress import Goal, Progress, Verdict, expected, form_of, progress
from reporting.scoring import Direction
from reporting.snapshot import TargetsFile
from reporting.targets import stored_targets, targets, usable
from telemetry.kpi_value import KpiQuery, KpiValue, StoredKpi

_MONTHS = 12


class Values(Protocol):
    """Where values are read: a store, or the API's shared one."""

    def kpis(self, query: KpiQuery) -> list[StoredKpi]:
        """The KPI values of a query."""


class Month(msgspec.Struct, frozen=True, kw_only=True):
    """The mean of the twelve months that end with `month`, and the value a steady way has at that time."""

    month: str
    value: float
    expected: float | None


class GoalLine(msgspec.Struct, frozen=True, kw_only=True):
    """One goal. `progress` is None, with the reason in `why`, where no final year has a value."""

    code: str
    part: str
    name: str
    unit: str
    target: float
    direction: Direction
    source: str
    year: int | None
    baseline: float | None
    baseline_year: int | None
    baseline_from: str
    interim: tuple[tuple[int, float], ...]
    progress: Progress | None
    verdict: Verdict
    months: tuple[Month, ...] = ()
    why: str = ""


def goals_of(store: Values, city: City, entries: Sequence[TargetEntry] | None = None) -> list[GoalLine]:
    """A line for each target, in the order of the file. `entries`: in place of the city's own.

    Raises UsageError for one of `entries` that cannot be used; of the city's own, it is left out and logged.
    """
    wanted = list((stored_targets(city) if entries is None else targets(entries)).items())
    problems = usable(city.target)[1] if entries is None else {}
    given = [e for n, e in enumerate(city.target if entries is None else entries) if n not in problems]
    codes = sorted({code for (code, _), _ in wanted})
    years = [v.kpi for v in store.kpis(KpiQuery(city.id, ["year"], codes))] if codes else []
    months = [v.kpi for v in store.kpis(KpiQuery(city.id, ["month"], codes))] if codes else []
    found = []
    for entry, (point, target) in zip(given, wanted, strict=True):
        values = _years(years, point)
        goal, source = _goal(entry, target.direction, values)
        found.append(_line(entry, point, goal, source, values, _months(months, point, goal)))
    return found


def _goal(entry: TargetEntry, direction: Direction, values: Sequence[tuple[int, float]]) -> tuple[Goal, str]:
    """The goal; without a baseline in the file, from the first value before the deadline."""
    first = next((v for v in values if entry.year is None or v[0] < entry.year), None)
    own = entry.baseline is not None
    goal = Goal(
        value=entry.value, direction=direction, year=entry.year,
        baseline=entry.baseline if own else first[1] if first else None,
        baseline_year=entry.baseline_year if own else first[0] if first else None,
        interim=tuple((p.year, p.value) for p in entry.interim), form=entry.form,
    )  # fmt: skip
    return goal, "the city file" if own else "the first stored year" if first else ""


def _line(
    entry: TargetEntry, point: Point, goal: Goal, source: str, values: Sequence[tuple[int, float]], months: list[Month]
) -> GoalLine:
    code, part = point
    newest = progress(goal, *values[-1]) if values else None
    return GoalLine(
        code=code, part=part, name=KPIS[code].name, unit=unit_of(KPIS[code], part), target=goal.value,
        direction=goal.direction, source=entry.source, year=goal.year, baseline=goal.baseline,
        baseline_year=goal.baseline_year, baseline_from=source, interim=goal.interim, progress=newest,
        verdict=newest.verdict if newest else "unknown", months=tuple(months),
        why=newest.why if newest else "no final year has a value",
    )  # fmt: skip


def _years(values: Iterable[KpiValue], point: Point) -> list[tuple[int, float]]:
    """(year, value) of the final years in which the figure has a value in the catalogue's unit."""
    by_year: dict[int, list[KpiValue]] = {}
    for value in values:
        if value.status == "final" and value.code == point[0]:
            by_year.setdefault(int(value.period), []).append(value)
    found = []
    for year, mine in sorted(by_year.items()):
        figure = _figure(mine, point)
        if figure and figure.value is not None and figure.unit == unit_of(figure.kpi, figure.part):
            found.append((year, figure.value))
    return found


def _figure(values: Sequence[KpiValue], point: Point) -> Figure | None:
    return next((f for f in figures(values) if (f.code, f.part) == point), None)


def _months(values: Sequence[KpiValue], point: Point, goal: Goal) -> list[Month]:
    """Means over twelve months in a row, of figures whose unit does not grow with the period."""
    unit = unit_of(KPIS[point[0]], point[1])
    mine = sorted(
        (v.period, v.value) for v in values
        if (v.code, v.part) == point and v.value is not None and v.status == "final" and v.unit == unit
    )  # fmt: skip
    found = []
    for i in range(_MONTHS - 1, len(mine)):
        year = mine[i - _MONTHS + 1 : i + 1]
        if _number(year[-1][0]) - _number(year[0][0]) != _MONTHS - 1:
            continue
        value = sum(v for _, v in year) / _MONTHS
        # A year's value stands at its number; twelve months that end in December are that year.
        time = (_number(year[-1][0]) + 1) / _MONTHS - 1
        found.append(Month(month=year[-1][0], value=value, expected=expected(goal, time, form_of(goal, value))))
    return found


def _number(month: str) -> int:
    """Months since the year 0; 2018-12 is 12 * 2018 + 11."""
    return _MONTHS * int(month[:4]) + int(month[5:7]) - 1


def entries_of(path: Path | None) -> list[TargetEntry] | None:
    """The entries of a file of targets; None without one. Raises UsageError."""
    return load(path, TargetsFile, "targets file").target if path else None
