"""What a value means beside its number: which values may be compared with which. Pure.

Two values are comparable where unit, method (with its interval), origin (reported or derived) and the kind of stations
agree. A value of a part of its period is compared with none.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from reporting.figures.figures import Figure


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


def _differ(what: str, found: set[str]) -> str:
    return f"{what} differ: {', '.join(sorted(found))}" if len(found) > 1 else ""
