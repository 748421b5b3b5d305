"""Meter readings by OBIS code (IEC 62056-61), which P1 telegrams, DLMS pushes and SML have in common. Pure.

A code as text is `medium-channel:C.D.E`; `short` is its C.D.E, by which templates name quantities of electricity.
"""

from __future__ import annotations

from typing import Any

# IEC 62056-62, unit enumeration, as far as meters at hand use it.
DLMS_UNITS = {
    6: "min", 7: "s", 13: "m3", 14: "m3", 27: "W", 28: "VA", 29: "var", 30: "Wh", 31: "VAh", 32: "varh", 33: "A",
    35: "V", 44: "Hz", 9: "Cel", 255: "",
}  # fmt: skip


def code(raw: bytes) -> str:
    """Six bytes as text: 0100010800ff -> 1-0:1.8.0."""
    a, b, c, d, e = raw[:5]
    return f"{a}-{b}:{c}.{d}.{e}"


def short(text: str) -> str | None:
    """C.D.E of a code for electricity (medium 1), None for another medium."""
    medium, _, rest = text.partition(":")
    return rest if medium.startswith("1-") and rest else None


def electricity(values: dict[str, Any]) -> dict[str, Any]:
    """The values for electricity of one meter, by C.D.E; where two channels have one, the lower channel counts."""
    found: dict[str, Any] = {}
    for text in sorted(values):
        name = short(text)
        if name is not None and values[text] is not None:
            found.setdefault(name, values[text])
    return found
