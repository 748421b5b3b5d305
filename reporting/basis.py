"""What a value means beside its number: which values may be compared with which. Pure.

Two values are comparable where unit, method (with its interval), origin (reported or derived) and the kind of stations
agree. A value of a part of its period is compared with none. Sums of different coverage (`coverages_differ`) are shown
beside each other, and make neither a rank nor a change over the years: the missing part alone would be one.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from kpi_derivation.growth import grows
from reporting.figures.figures import Figure

APART = 0.05  # by which the coverages of comparable sums differ at most; ours


class Basis(msgspec.Struct, frozen=True, kw_only=True):
    """Unit, origin, method and kind of stations of a value. `method` is empty of a reported figure."""

    unit: str
    origin: str
    method: str
    kind: str


def basis_of(f: Figure) -> Basis:
    """The basis of a figure with a value."""
    low_cost = f.reported is None and f.derived is not None and "indicative" in f.derived.notes
    derived = f.reported is None and f.derived is not None
    return Basis(
        unit=f.unit, origin="derived" if derived else "reported",
        method=f.derived.method if derived and f.derived else "",
        kind="indicative instruments" if low_cost else "",
    )  # fmt: skip


def differences(found: Iterable[Basis]) -> list[str]:
    """What differs among these, in words; empty where all are comparable."""
    several = list(found)
    return [
        text
        for text in (
            _differ("units", {b.unit for b in several}),
            _differ("origins", {b.origin for b in several}),
            _differ("methods", {b.method for b in several if b.origin == "derived"}),
            _differ("kinds of stations", {b.kind or "reference instruments" for b in several}),
        )
        if text
    ]


def coverages_differ(found: Iterable[Figure]) -> str:
    """Lowest and highest coverage, in words, of derived sums of which they are too far apart; empty otherwise."""
    sums = [
        f.derived.coverage
        for f in found
        if f.reported is None and f.derived is not None and grows(f.code, f.derived.unit)
    ]
    if len(sums) < 2 or max(sums) - min(sums) <= APART:
        return ""
    return f"coverages of a sum differ: {100 * min(sums):.0f} to {100 * max(sums):.0f} %"


def _differ(what: str, found: set[str]) -> str:
    return f"{what} differ: {', '.join(sorted(found))}" if len(found) > 1 else ""
