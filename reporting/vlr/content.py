"""What a review is made from, read from the store once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from adapters.store import Store
from registry.city import City
from reporting.compare import TrendLine, trends
from reporting.figures.figures import Figure, figures
from reporting.figures.points import Point
from reporting.figures.stored import calendar
from reporting.goals.stored import GoalLine, goals_of
from reporting.scoring import Target
from reporting.sdg.view import GoalView, goal_views
from reporting.show import stored_city
from reporting.submission.work import with_states
from reporting.targets import Scores, score, stored_targets
from telemetry.errors import UsageError
from telemetry.kpi_value import KpiQuery, KpiValue
from telemetry.periods import Period

# The chapters after UN DESA's guiding elements (2020), in their order, and the file of the city's text for each.
CHAPTERS = (
    ("opening", "Opening statement"), ("highlights", "Highlights"), ("introduction", "Introduction"),
    ("methodology", "Methodology and process"), ("policy", "Policy and enabling environment"),
    ("progress", "Progress on goals and targets"), ("means", "Means of implementation"),
    ("conclusion", "Conclusion and next steps"),
)  # fmt: skip


class Review(msgspec.Struct, frozen=True, kw_only=True):
    """The data of a review. `texts`: Markdown by the file's name without `.md`; `years`: values by figure and year."""

    city: City
    period: Period
    figures: list[Figure]
    scores: Scores
    targets: dict[Point, Target]
    goals: list[GoalView]
    progress: dict[Point, GoalLine]
    trends: dict[Point, TrendLine]
    years: dict[Point, list[tuple[int, float]]]
    texts: Mapping[str, str]


def collect(store: Store, city_id: str, period_text: str, folder: Path | None) -> Review:
    """Everything from store and folder. Raises UsageError."""
    city = stored_city(store, city_id)
    period = calendar(city, period_text)
    if period.kind != "year":
        raise UsageError(f"A review is of a year, not of '{period_text}'; use {period_text[:4]}.")
    wanted = stored_targets(city)
    plain = figures(v.kpi for v in store.kpis(KpiQuery.of_period(city.id, period)))
    found = with_states(store, city, plain, period)
    scores = score(found, wanted)
    lines = goals_of(store, city)
    return Review(
        city=city, period=period, figures=found, scores=scores, targets=wanted, goals=goal_views(found, scores),
        progress={(g.code, g.part): g for g in lines},
        trends={(t.code, t.part): t for t in trends(store, city.id, [], None)},
        years=_years(store, city), texts=_texts(folder),
    )  # fmt: skip


def _years(store: Store, city: City) -> dict[Point, list[tuple[int, float]]]:
    by_year: dict[int, list[KpiValue]] = {}
    for value in (v.kpi for v in store.kpis(KpiQuery(city.id, ["year"]))):
        if value.status == "final":
            by_year.setdefault(int(value.period), []).append(value)
    found: dict[Point, list[tuple[int, float]]] = {}
    for year, values in sorted(by_year.items()):
        for f in figures(values):
            if f.value is not None:
                found.setdefault((f.code, f.part), []).append((year, f.value))
    return found


def _texts(folder: Path | None) -> dict[str, str]:
    """The city's texts. Raises UsageError for a file that is not one of them, with the names that are."""
    if folder is None:
        return {}
    if not folder.is_dir():
        raise UsageError(f"There is no folder {folder} of texts.")
    known = [name for name, _ in CHAPTERS] + [f"goal-{n:02}" for n in range(1, 18)]
    found = {}
    for path in sorted(folder.glob("*.md")):
        if path.stem not in known:
            raise UsageError(f"{path} is not a text of a review; its texts are: {', '.join(f'{k}.md' for k in known)}.")
        found[path.stem] = path.read_text(encoding="utf-8")
    return found
