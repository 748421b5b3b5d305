"""Text from outside (nodes, boards, publishers), read and printed so that it cannot break a command or a terminal."""

from __future__ import annotations

import json
from typing import Any

_LEVELS = 20  # reports and settings of nodes have three or four


def read_json(text: bytes | str) -> Any:  # noqa: ANN401 - JSON
    """A JSON value. Raises ValueError with the reason, also where it is nested too deeply to be written."""
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
    r"""The text with escapes such as `\x1b` for characters that move the cursor, set colours or end a line."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
