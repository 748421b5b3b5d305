"""Recorded readings from CSV files (optionally gzipped), in chunks of columns.

Two layouts, told apart by their header: `time,device,quantity,value,unit` and `start,end,device,energy_kwh,user_hash`.
A row that cannot be read is reported with its line and passed over.
"""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from telemetry.errors import UsageError

MEASUREMENTS = ["time", "device", "quantity", "value", "unit"]
SESSIONS = ["start", "end", "device", "energy_kwh", "user_hash"]


class BadRow(NamedTuple):
    """A row that could not be read: 1-based line, its text, why."""

    line: int
    text: str
    reason: str


@dataclass(slots=True)
class Chunk:
    """Consecutive rows of one file as they stand there; `lines`: their 1-based line numbers."""

    path: Path
    header: list[str]
    lines: Sequence[int]
    rows: list[list[str]]
    bad: list[BadRow] = field(default_factory=list)

    @property
    def is_sessions(self) -> bool:
        """Whether rows are charging sessions."""
        return self.header == SESSIONS


def read(path: Path, size: int = 50_000) -> Iterator[Chunk]:
    """Chunks of up to `size` rows. Raises UsageError for a missing file or an unknown header."""
    try:
        with _open(path) as file:
            reader = csv.reader(file)
            header = [name.strip() for name in next(reader, [])]
            if header not in (MEASUREMENTS, SESSIONS):
                raise UsageError(
                    f"{path}, line 1: the header must be {','.join(MEASUREMENTS)} or {','.join(SESSIONS)}."
                )
            yield from _chunks(path, header, reader, size)
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}.") from None


def _open(path: Path) -> io.TextIOBase:
    with path.open("rb") as probe:
        packed = probe.read(2) == b"\x1f\x8b"
    if packed:
        return io.TextIOWrapper(gzip.open(path, "rb"), encoding="utf-8", newline="")
    return path.open(encoding="utf-8", newline="")


def _chunks(path: Path, header: list[str], reader: Iterator[list[str]], size: int) -> Iterator[Chunk]:
    line = 2
    while rows := list(islice(reader, size)):
        lines = range(line, line + len(rows))
        if all(len(row) == len(header) for row in rows):
            yield Chunk(path, header, lines, rows)
        else:
            yield _sorted_out(path, header, lines, rows)
        line += len(rows)


def _sorted_out(path: Path, header: list[str], lines: range, rows: list[list[str]]) -> Chunk:
    """Rows with the right number of fields, and the others with the reason; empty lines are nothing."""
    good = [(n, row) for n, row in zip(lines, rows, strict=True) if len(row) == len(header)]
    bad = [
        BadRow(n, ",".join(row), f"{len(row)} fields instead of {len(header)}")
        for n, row in zip(lines, rows, strict=True)
        if row and len(row) != len(header)
    ]
    return Chunk(path, header, [n for n, _ in good], [row for _, row in good], bad)
