"""The rows of the verifier's sheet, in the layout of the public part of the data collection template. Pure.

Known from the Verification Manual (2022, p162-166): column O is the result, `NR` until there is one; Q reported, R the
benchmark's band, S verified; T to W quality, origin and source; cells in orange have an unconfirmed unit. The other
columns are additions of CityVitals; S is for the verifier and is exported as NO.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from reporting.figures.figures import Figure
from reporting.figures.reported import QUALITY
from reporting.scoring import BANDS
from reporting.targets import Scores

NOT_REPORTED = "NR"
HEADINGS = (
    "No.", "Dimension", "Sub-dimension", "Category", "Code", "KPI", "Data point", "Level", "Type", "Unit",
    "Unit status", "Period", "Numerator", "Denominator", "Result", "Derived from sensors", "Reported",
    "Benchmark band", "Verified", "Data quality", "Origin", "Source", "Remark",
)  # fmt: skip
RESULT, UNIT_STATUS = HEADINGS.index("Result"), HEADINGS.index("Unit status")

Cell = str | float | int | None


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One row: a cell for each heading, and whether its unit is unconfirmed."""

    cells: tuple[Cell, ...]
    unit_open: bool


def rows(figures: Sequence[Figure], scores: Scores, period: str) -> list[Row]:
    """A row for each figure, in their order."""
    return [_row(number, f, scores, period) for number, f in enumerate(figures, start=1)]


def _row(number: int, f: Figure, scores: Scores, period: str) -> Row:
    kpi, said = f.kpi, f.reported
    scored = scores.items.get((f.code, f.part))
    cells: tuple[Cell, ...] = (
        number, kpi.dimension, kpi.sub_dimension, kpi.category, kpi.code_spaced, kpi.name, f.part, kpi.level, kpi.type,
        f.unit, kpi.unit_status, period, said.numerator if said else None,
        said.denominator if said else None, NOT_REPORTED if f.value is None else f.value,
        f.derived.value if f.derived else None, "NO" if f.value is None else "YES",
        BANDS[scored.points - 1] if scored else "N/A", "NO", quality(f), origin(f), source(f), remark(f),
    )  # fmt: skip
    return Row(cells=cells, unit_open=kpi.unit_status == "unconfirmed")


def quality(f: Figure) -> str:
    """One of the six classes; for a derived value, the proposed class."""
    if f.reported:
        return QUALITY[f.reported.quality]
    if f.value is None or f.derived is None:
        return ""
    return QUALITY["assumed" if "indicative" in f.derived.notes else "measured"]


def origin(f: Figure) -> str:
    """Reported, with the state of the figure, or derived."""
    if f.reported:
        return f"reported by the city, {f.state or 'submitted'}"
    if f.value is None and f.state:
        return "a draft, not counted"
    return "" if f.value is None else "derived from sensor readings"


def source(f: Figure) -> str:
    """The source of the figure: the city's, or method and number of devices."""
    if f.reported:
        return f.reported.source
    return "" if f.value is None or f.derived is None else f"{f.derived.method}, {f.derived.n_devices} devices"


def remark(f: Figure) -> str:
    """Remarks on the figure."""
    d = f.derived
    if f.reported:
        return f.reported.remark
    if d is None:
        return ""
    if f.partial and d.value is not None:
        return f"partial and therefore not reported: {d.value:.6g} {d.unit}; {d.notes}"
    if d.value is None:
        return d.notes
    status = "" if d.status == "final" else f"{d.status}; "
    return f"{status}coverage {100 * d.coverage:.2f} %" + (f"; {d.notes}" if d.notes else "")
