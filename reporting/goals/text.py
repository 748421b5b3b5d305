"""Goals as table, JSON or CSV. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from reporting.goals.progress import Progress
from reporting.goals.stored import GoalLine
from reporting.tables import number, printed

_HEAD = (
    "KPI", "part", "name", "unit", "baseline", "target", "by", "newest", "needed", "actual", "ratio", "verdict",
    "remark",
)  # fmt: skip
_FOOT = (
    "growth: change a year; linear: share of the time, share of the way; on track from 95 % of the needed rate,"
    " moderate from 60 %; targets are the city's own"
)


def goals_text(lines: Sequence[GoalLine], form: str, width: int) -> str:
    """The lines. Raises UsageError for another format."""
    return printed(form, lines, [_HEAD, *map(_row, lines)], width, _FOOT)


def _row(g: GoalLine) -> list[str]:
    p = g.progress
    baseline = f"{number(g.baseline)} ({g.baseline_year})" if g.baseline is not None else ""
    newest = (
        [f"{number(p.value)} ({p.year})", _percent(p.needed), _percent(p.actual), _percent(p.ratio)] if p else [""] * 4
    )
    remark = "; ".join(filter(None, (p.form if p else "", _interim(p), g.why)))
    target = [number(g.target), str(g.year or "")]
    return [g.code, g.part, g.name, g.unit, baseline, *target, *newest, g.verdict, remark]


def _interim(p: Progress | None) -> str:
    if p is None or p.interim_met is None:
        return ""
    return "interim point met" if p.interim_met else f"interim point missed: {number(p.expected)} is on the way"


def _percent(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.3f} %"
