"""How the 91 indicators stand, each by its newest year: counts, and every data point's band by sub-dimension. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from reporting.indicators import Indicator, summary


def standing(found: Sequence[Indicator]) -> dict[str, Any]:
    """The card of the 91 indicators. `points`: 4 to 1 by band, 0 for a value without a target, None for no value."""
    groups: dict[str, list[int | None]] = {}
    shares: dict[str, list[float]] = {}
    for i in found:
        groups.setdefault(i.sub_dimension, []).append(i.points or 0 if i.value is not None else None)
        if i.performance is not None:
            shares.setdefault(i.sub_dimension, []).append(i.performance)
    return {
        "summary": msgspec.to_builtins(summary(found)),
        "groups": [
            {"name": name, "points": points, "share": _mean(shares.get(name, []))} for name, points in groups.items()
        ],
    }


def _mean(shares: list[float]) -> float | None:
    return sum(shares) / len(shares) if shares else None
