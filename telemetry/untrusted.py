"""What others wrote - nodes, boards, whoever may publish: read so that it breaks no command and no terminal."""

from __future__ import annotations

import json
from typing import Any

_LEVELS = 20  # what nodes say and what is set on them has three or four


def read_json(text: bytes | str) -> Any:  # noqa: ANN401 - JSON
    """A JSON value. Raises ValueError with the reason, also where it is nested so deeply that writing it would fail."""
    try:
        value = json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if not _fits(value, _LEVELS):
        raise ValueError("it is nested too deeply")
    return value


def _fits(value: object, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return True
    inner = value.values() if isinstance(value, dict) else value
    return levels > 0 and all(_fits(v, levels - 1) for v in inner)


def printable(text: str) -> str:
    r"""The text with escapes, as in `\x1b`, for what would move the cursor, colour, turn or break a line."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
