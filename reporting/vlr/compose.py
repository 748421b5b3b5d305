"""The blocks of a review, chapter by chapter. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from kpi_derivation.catalogue import DERIVATIONS
from reporting.figures.figures import Figure, not_reported_share, official
from reporting.figures.reported import QUALITY
from reporting.figures.template import origin, quality, source
from reporting.scoring import OUR_CHOICE
from reporting.sdg.view import FEWEST, GoalView
from reporting.tables import number
from reporting.vlr.blocks import Block, Bullets, Grid, Heading, PageBreak, Picture, Text
from reporting.vlr.content import CHAPTERS, Review
from reporting.vlr.markdown import blocks_of
from telemetry.kpi_value import KpiValue

Draw = Callable[[Review, GoalView], bytes | None]


def compose(review: Review, draw: Draw) -> list[Block]:
    """All blocks. `draw`: a picture of a goal's figures, None where there is none."""
    return list(_compose(review, draw))


def _compose(review: Review, draw: Draw) -> Iterator[Block]:
    city = review.city.city
    yield Heading(1, f"{city.name}: Voluntary Local Review {review.period.label}")
    people = f"{city.population:,.0f} inhabitants" if city.population else "population not given"
    yield Text(
        f"{city.name}, {city.country}; {people}. Made by CityVitals from the city's own figures and texts.", "small"
    )
    own: dict[str, Callable[[], Iterator[Block]]] = {
        "highlights": lambda: _highlights(review), "methodology": lambda: _method(review),
        "progress": lambda: _progress(review, draw), "means": lambda: _means(review),
    }  # fmt: skip
    for chapter, (name, title) in enumerate(CHAPTERS, start=1):
        if name == "progress":
            yield PageBreak()
        yield Heading(1, f"{chapter} {title}")
        yield from _text(review, name, 1)
        yield from own.get(name, lambda: iter(()))()
    yield PageBreak()
    yield from _annex(review)


def _text(review: Review, name: str, below: int) -> Iterator[Block]:
    """The city's text, or a visible gap."""
    if name in review.texts:
        yield from blocks_of(review.texts[name], below)
    else:
        yield Text(f"Missing: the city's text {name}.md", "gap")


def _highlights(review: Review) -> Iterator[Block]:
    with_value = {f.code for f in official(review.figures) if f.value is not None}
    share = not_reported_share(review.figures)
    scored = [g for g in review.goals if g.score is not None]
    lines = [
        f"{len(with_value)} of 91 KPIs have a value; {100 * share:.0f} % are not reported.",
        f"{len(scored)} of 17 goals have a score, which needs {FEWEST} figures with a target.",
    ]
    verdicts = [g.verdict for g in review.progress.values()]
    if verdicts:
        words = {"unknown": "not judged (no deadline, baseline or value)"}
        counts = ", ".join(f"{verdicts.count(v)} {words.get(v, v)}" for v in dict.fromkeys(verdicts))
        lines.append(f"{len(verdicts)} targets of the city: {counts}.")
    yield Bullets(tuple(lines))


def _method(review: Review) -> Iterator[Block]:
    derived = [f for f in official(review.figures) if f.value is not None and f.reported is None]
    reported = [f for f in official(review.figures) if f.reported]
    yield Text(
        "The indicators are the 91 key performance indicators of U4SSC. Values derived from sensors are computed by the"
        " methods named in the annex from the readings of registered devices; each has a coverage, the share of the"
        " period that the readings stand for. A partial value is shown and does not count. Other values are reported by"
        " the city, each with its source and one of six classes of quality."
    )
    yield Bullets(
        (
            f"{len(derived)} figures are derived from sensors, {len(reported)} are reported{_verified(reported)}.",
            f"Classes of quality: {'; '.join(f'{name}: {text}' for name, text in QUALITY.items())}.",
            f"Evaluation: {OUR_CHOICE}. KPIs are assigned to goals by the map of KS (Norway).",
        )
    )


def _verified(reported: list[Figure]) -> str:
    n = sum(f.state == "verified" for f in reported)
    return f", of which {n} are verified by a second person of the city" if reported else ""


def _progress(review: Review, draw: Draw) -> Iterator[Block]:
    rows = tuple(
        (str(g.number), g.name, "-" if g.score is None else f"{100 * g.score:.0f} %", str(g.scored),
         f"{g.with_value} of {g.figures}", g.why)
        for g in review.goals
    )  # fmt: skip
    yield Grid(("goal", "name", "score", "scored", "with a value", "remark"), rows, (12, 56, 14, 15, 24, 47))
    for goal in review.goals:
        yield from _goal(review, goal, draw)


def _goal(review: Review, goal: GoalView, draw: Draw) -> Iterator[Block]:
    if not goal.kpis:
        return
    yield Heading(2, f"Goal {goal.number}: {goal.name}")
    yield from _text(review, f"goal-{goal.number:02}", 2)
    mine = [f for f in official(review.figures) if f.code in goal.kpis and f.value is not None]
    if mine:
        head = ("KPI", "name", "value", "unit", "coverage", "quality", "a year", "target", "verdict")
        yield Grid(head, tuple(_row(review, f) for f in mine), (31, 35, 19, 27, 23, 23, 23, 19, 24))
        picture = draw(review, goal)
        if picture:
            yield Picture(picture, f"Values over the years of the figures of goal {goal.number}")
    measured = [f for f in official(review.figures) if f.code in goal.kpis and f.partial]
    shown = [_partly(f.name, f.derived) for f in measured if f.derived and f.derived.value is not None]
    if shown:
        yield Text(f"Measured in part, therefore not counted: {'; '.join(shown)}.", "small")
    if goal.missing:
        yield Text(f"Missing: values of {', '.join(goal.missing)}", "gap")


def _partly(name: str, derived: KpiValue) -> str:
    return f"{name} {number(derived.value)} {derived.unit}"


def _row(review: Review, f: Figure) -> tuple[str, ...]:
    point = (f.code, f.part)
    trend, target, goal = review.trends.get(point), review.targets.get(point), review.progress.get(point)
    change = "" if trend is None or trend.trend.per_year is None else _signed(trend.trend.per_year)
    coverage = f"{100 * f.derived.coverage:.1f} %" if f.derived and not f.reported else ""
    grade = next((name for name, text in QUALITY.items() if text == quality(f)), "")
    verdict = goal.verdict if goal and goal.verdict != "unknown" else ""
    return (
        f.code, f.name, number(f.value), f.unit, coverage, grade, change,
        number(target.value) if target else "", verdict,
    )  # fmt: skip


def _signed(change: float) -> str:
    return f"{change:+,.3g}" if abs(change) < 1000 else f"{change:+,.0f}"


def _means(review: Review) -> Iterator[Block]:
    devices: dict[str, int] = {}
    for device in review.city.device:
        devices[device.kind] = devices.get(device.kind, 0) + 1
    if devices:
        yield Text(
            "Registered measuring devices: " + ", ".join(f"{n} {kind}" for kind, n in sorted(devices.items())) + "."
        )


def _missing(f: Figure) -> str:
    return f"{f.code} {f.part}".rstrip() + (" (a draft)" if f.state == "draft" else "")


def _annex(review: Review) -> Iterator[Block]:
    yield Heading(1, "Annex: indicators")
    rows = tuple(
        (f.code, f.name, number(f.value), f.unit, origin(f), source(f))
        for f in official(review.figures) if f.value is not None
    )  # fmt: skip
    if rows:
        yield Grid(("KPI", "name", "value", "unit", "origin", "source or method"), rows, (32, 50, 20, 28, 38, 56))
    missing = [f for f in official(review.figures) if f.value is None]
    if missing:
        yield Text(
            f"Not reported: {len(missing)} figures: " + ", ".join(map(_missing, missing)),
            "small",
        )
    methods = sorted({f.derived.method for f in official(review.figures) if f.derived and f.code in DERIVATIONS})
    if methods:
        yield Text("Methods: " + "; ".join(methods) + ". Their texts are in the documentation of CityVitals.", "small")
