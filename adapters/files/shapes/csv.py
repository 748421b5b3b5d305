"""CSV with a header, after lines that may stand before it, or without one (`options = { header = false }`)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from adapters.files import csv_table, text
from adapters.files.arrow_csv import Numbers
from adapters.files.csv_table import Header
from adapters.files.table import Chunk


def headers(path: Path, options: dict[str, Any]) -> Iterable[Header]:
    """The first lines that could be one; without a header, numbers for names. Nothing for XML, JSON and Parquet."""
    if text.start(path, 64).lstrip(b"\xef\xbb\xbf \r\n\t")[:1] in (b"<", b"{", b"[") or is_parquet(path):
        return
    if options.get("header", True):
        yield from csv_table.heads(path)
        return
    first = next(csv_table.heads(path), None)
    if first is not None:
        yield Header([str(place + 1) for place in range(len(first.names))], first.delimiter, first.line - 1)


def read(path: Path, header: Header, options: dict[str, Any], numbers: Mapping[str, Numbers]) -> Iterator[Chunk]:  # noqa: ARG001
    """The rows."""
    yield from csv_table.read(path, header, numbers)


def is_parquet(path: Path) -> bool:
    """Whether a file is written in Parquet."""
    return text.start(path, 4) == b"PAR1"
