"""States, history and missing figures as text; and figures as a user names them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kpi_derivation.catalogue import KPIS, canonical
from reporting.figures.points import Point, part_named, u4ssc, unit_of
from reporting.figures.reported import Reported
from reporting.submission.steps import Status, Step
from reporting.tables import number, printed
from telemetry.errors import UsageError, nearest
from telemetry.periods import iso


def point_named(text: str) -> Point:
    """(code, part) of `EN:EN:AQ:1C/no2`. Raises UsageError naming the nearest."""
    name, _, part = text.partition("/")
    code = canonical(name)
    if code is None or KPIS[code].level == "local":
        raise UsageError(f"There is no KPI '{name}' of U4SSC; {nearest(name.upper(), [k.code for k in u4ssc()])}")
    try:
        return code, part_named(KPIS[code], part)
    except ValueError as error:
        raise UsageError(f"{error}.") from None


def states_text(found: Sequence[Status], form: str, width: int) -> str:
    """A line for each figure."""
    rows = [["code", "part", "name", "year", "state", "value", "unit", "who", "when", "draft"]]
    for s in found:
        rows.append([
            s.code, s.part, KPIS[s.code].name, str(s.year), s.state, _value(s.figure), unit_of(KPIS[s.code], s.part),
            s.who, _when(s.time), _value(s.draft),
        ])  # fmt: skip
    foot = "a draft is not published, scored or packed; without a name: stored by an import"
    return printed(form, [_plain(s) for s in found], rows, width, foot)


def history_text(found: Sequence[Status], form: str, width: int) -> str:
    """A line for each step, oldest first."""
    rows = [["year", "when", "state", "who", "value", "quality", "source", "remark"]]
    plain = []
    for s in found:
        for step in s.steps:
            f = step.figure
            rows.append([
                str(s.year), _when(step.time), step.state, step.who, number(f.value), f.quality, f.source, f.remark,
            ])  # fmt: skip
            plain.append(_plain_step(step))
    return printed(form, plain, rows, width, "oldest first")


def _plain(s: Status) -> dict[str, Any]:
    return {
        "code": s.code, "part": s.part, "name": KPIS[s.code].name, "year": s.year, "state": s.state, "who": s.who,
        "time": _when(s.time),
        "value": s.figure.value if s.figure else None, "draft": s.draft.value if s.draft else None,
    }  # fmt: skip


def _plain_step(step: Step) -> dict[str, Any]:
    f = step.figure
    return {
        "code": f.code, "part": f.part, "year": f.year, "time": _when(step.time), "state": step.state, "who": step.who,
        "value": f.value, "numerator": f.numerator, "denominator": f.denominator, "quality": f.quality,
        "source": f.source, "remark": f.remark,
    }  # fmt: skip


def _value(figure: Reported | None) -> str:
    return "" if figure is None else number(figure.value)


def _when(time: int) -> str:
    return iso(time) if time else ""
