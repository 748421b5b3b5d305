"""Which direction of each data point of the 91 KPIs is better. Pure.

The publisher states a direction only in its worked examples. `verified` is such an example or a text of the publisher,
`secondary` the list of data series of a Norwegian student system, `corrected` where that list is plainly wrong or one
of its data points goes the other way than the KPI. `""`: no direction, so the figure is neither scored nor ranked.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

Better = Literal["higher", "lower", "nearest", ""]
Status = Literal["verified", "secondary", "corrected"]


class Direction(NamedTuple):
    """`ideal`: the value that is best where `better` is nearest, in the figure's unit; or the most that counts."""

    better: Better
    status: Status = "secondary"
    ideal: float | None = None
    note: str = ""


_LOWER = (
    "EN:EN:AQ:1C", "EN:EN:AQ:2C", "EN:EN:WS:2C", "EN:EN:WS:3C", "EN:E:E:2C", "EN:E:E:3C", "EN:E:E:4A",
    "EN:EN:EQ:2A", "EC:I:ES:1C", "EC:I:ES:2C", "EC:P:EM:1C", "EC:P:EM:2C", "EC:I:T:5A", "SC:EH:H:2C", "SC:SH:HO:1C",
    "SC:SH:HO:2A", "SC:SH:SI:2C", "SC:SH:SI:3C", "SC:SH:SA:1C", "SC:SH:SA:2C", "SC:SH:SA:4A", "SC:SH:SA:5A",
    "SC:SH:SA:8C", "SC:SH:SA:9C",
)  # fmt: skip
_VERIFIED_LOWER = {"EC:I:ES:1C": "VM p75", "EC:I:ES:2C": "VM p76", "EN:EN:AQ:1C": "VM p95"}
_SPECIAL: dict[str, Direction] = {
    "EC:ICT:ICT:2C": Direction("higher", "verified", None, "the published worked example"),
    "EC:I:WS:3C": Direction("lower", "corrected", None, "the list says higher"),
    "SC:SH:SI:1C": Direction("nearest", "secondary", 1.0, "equal pay is 1"),
    "SC:EH:ED:2C": Direction("higher", "corrected", 100.0, "may exceed 100 (VM p118); capped at 100"),
    "EC:P:EM:3A": Direction("", "corrected", None, "a share of an industry is a structure, not an aim"),
    "EC:P:IN:3A": Direction("", "corrected", None, "a share of an industry is a structure, not an aim"),
    "EC:ICT:ICT:5A": Direction("", "verified", None, "benchmark N/A (Karmoy 2020 p14)"),
}
_PARTS: dict[tuple[str, str], Direction] = {
    **{("EN:EN:WA:1C", part): Direction("lower", "corrected") for part in ("landfill", "burnt", "open dump")},
    **{("EN:EN:WA:1C", part): Direction("", "corrected") for part in ("incinerated", "other")},
    ("EC:I:T:4A", "private"): Direction("lower", "corrected"),
    ("EC:I:T:4A", "para"): Direction("", "corrected"),
}


def direction_of(code: str, part: str = "") -> Direction:
    """The direction of a data point of the 91; of a KPI whose data points differ, without `part`, none."""
    if (code, part) in _PARTS:
        return _PARTS[code, part]
    if not part and any(of == code for of, _ in _PARTS):
        return Direction("", "corrected", None, "its data points differ")
    if code in _SPECIAL:
        return _SPECIAL[code]
    if code in _LOWER:
        page = _VERIFIED_LOWER.get(code, "")
        return Direction("lower", "verified" if page else "secondary", None, page)
    return Direction("higher")
