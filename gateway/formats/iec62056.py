"""IEC 62056-21 telegrams (optical heads, modes A to D): lines `code(value*unit)` between `/` and `!`.

Codes may be short (`1.8.0`) or whole (`1-0:1.8.0*255`). Gives `{"values", "codes"}` like a P1 telegram.
"""

from __future__ import annotations

import re
from typing import Any

from gateway.decoding.framing import Marked
from gateway.decoding.obis import electricity
from telemetry.errors import Rejected

_LINE = re.compile(r"(?:(\d+-\d+):)?(\d+\.\d+\.\d+)(?:\*\d+)?\(([+-]?[\d.]+)(?:\*([^)]+))?\)")
_LARGEST = 16384


def framer() -> Marked:
    """Cuts telegrams out of the bytes of a serial line."""
    return Marked(b"/", b"!", 0, _LARGEST)


def read(payload: bytes, levels: dict[str, str]) -> list[Any]:  # noqa: ARG001 - every format is called so
    """The values of one telegram. Raises Rejected where there is none."""
    text = bytes(byte & 127 for byte in payload).decode("ascii")  # heads that leave the parity bit in
    codes: dict[str, Any] = {}
    for medium, name, number, unit in _LINE.findall(text):
        codes.setdefault(f"{medium or '1-0'}:{name}", {"value": number, "unit": unit} if unit else number)
    if not codes:
        raise Rejected("not an IEC 62056-21 telegram: there is no line with a code and a value")
    return [{"values": electricity(codes), "codes": codes}]
