"""Tables in documents that measurements write: the lines between two marks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


def put(path: Path, begin: str, end: str, made: Sequence[str]) -> None:
    """Replace what stands between the lines `begin` and `end`."""
    lines = path.read_text(encoding="utf-8").splitlines()
    start, stop = lines.index(begin) + 1, lines.index(end)
    path.write_text("\n".join([*lines[:start], *made, *lines[stop:]]) + "\n", encoding="utf-8")
