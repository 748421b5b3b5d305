"""Figures whose denominator is the population or the households. Pure.

From the catalogue's definitions and units; where neither defines it, nothing is assumed.
"""

from __future__ import annotations

from kpi_derivation.catalogue import KPIS
from reporting.figures.ratio import is_per_100_000

_OTHER_100_000 = ("SC:EH:H:2C",)  # deaths in childbirth are per live births
_SHARE_OF_INHABITANTS = (
    "EC:I:T:2A", "EN:EN:EQ:2A", "EN:EN:PSN:2A", "SC:EH:H:5A", "SC:EH:H:6A", "SC:SH:HO:1C", "SC:SH:SI:3C",
    "SC:SH:SA:4A",
)  # fmt: skip
_SHARE_OF_HOUSEHOLDS = (
    "EC:ICT:ICT:1C", "EC:ICT:ICT:2C", "EC:I:WS:1C", "EC:I:WS:2C", "EC:I:WS:4C", "EC:I:WS:5C", "EC:I:WA:1C",
    "EC:I:ES:3C", "EN:EN:WS:1C",
)  # fmt: skip


def denominator_of(code: str) -> str | None:
    """`population`, `households` or None."""
    unit = KPIS[code].unit
    if code in _SHARE_OF_HOUSEHOLDS:
        return "households"
    by_head = "capita" in unit or (is_per_100_000(unit) and code not in _OTHER_100_000)
    return "population" if by_head or code in _SHARE_OF_INHABITANTS else None
