"""Recorded readings from CSV files (optionally gzipped), in chunks of columns.

Three layouts, distinguished by their header: `time,device,quantity,value,unit`, the charging sessions
`start,end,device,energy_kwh,user_hash` and the outage log `start,end,device,customers,id`.
An invalid row is reported with its line and skipped.
"""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from telemetry.errors import UsageError

MEASUREMENTS = ["time", "device", "quantity", "value", "unit"]
_BLOCK = 4 << 20
SESSIONS = ["start", "end", "device", "energy_kwh", "user_hash"]
OUTAGES = ["start", "end", "device", "customers", "id"]


class InvalidRow(NamedTuple):
    """An invalid row: 1-based line, its text, the reason."""

    line: int
    text: str
    reason: str


@dataclass(slots=True)
class Chunk:
    """Consecutive rows of one file as text, a list for each field of the header.

    `lines`: the rows' 1-based line numbers.
    """

    path: Path
    header: list[str]
    lines: Sequence[int]
    columns: Sequence[Sequence[str]]
    invalid: list[InvalidRow] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.lines)

    @property
    def is_sessions(self) -> bool:
        """Whether rows are charging sessions."""
        return self.header == SESSIONS

    @property
    def is_outages(self) -> bool:
        """Whether rows are interruptions of the electricity supply."""
        return self.header == OUTAGES

    def rows(self) -> Iterator[tuple[str, ...]]:
        """The rows in order."""
        return zip(*self.columns, strict=True)

    def text(self, row: int) -> str:
        """One row, nearly as it is in the file."""
        return ",".join(column[row] for column in self.columns)

    def part(self, first: int, end: int | None = None) -> Chunk:
        """The rows first..end - 1, without the invalid ones."""
        return Chunk(self.path, self.header, self.lines[first:end], [c[first:end] for c in self.columns])


def read(path: Path, size: int = 50_000) -> Iterator[Chunk]:
    """Chunks of up to `size` rows. Raises UsageError for a missing file or an unknown header."""
    try:
        with _open(path) as file:
            header = next(csv.reader([file.readline()]), [])
            header = [name.strip() for name in header]
            if header not in (MEASUREMENTS, SESSIONS, OUTAGES):
                known = ", or ".join(map(",".join, (MEASUREMENTS, SESSIONS, OUTAGES)))
                raise UsageError(f"{path}, line 1: the header must be {known}.")
            yield from _chunks(path, header, file, size)
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}.") from None


def _open(path: Path) -> io.TextIOBase:
    with path.open("rb") as probe:
        packed = probe.read(2) == b"\x1f\x8b"
    if packed:
        return io.TextIOWrapper(gzip.open(path, "rb"), encoding="utf-8")
    return path.open(encoding="utf-8")


def _chunks(path: Path, header: list[str], file: io.TextIOBase, size: int) -> Iterator[Chunk]:
    """A field may not contain a line end, so a whole block can be split into lines at once, which is fast."""
    line, rest = 2, ""
    while block := file.read(_BLOCK):
        lines = (rest + block).split("\n")
        rest = lines.pop()
        for start in range(0, len(lines), size):
            part = lines[start : start + size]
            yield _chunk(path, header, range(line, line + len(part)), part)
            line += len(part)
    if rest:
        yield _chunk(path, header, range(line, line + 1), [rest])


def _chunk(path: Path, header: list[str], numbers: range, lines: list[str]) -> Chunk:
    width = len(header)
    if not any('"' in line or "\r" in line for line in lines) and {line.count(",") for line in lines} == {width - 1}:
        fields = ",".join(lines).split(",")  # a third of the time of the csv module
        return Chunk(path, header, numbers, [fields[i::width] for i in range(width)])
    rows = list(csv.reader(lines))
    if len(rows) != len(lines):  # an unclosed quote includes the lines after it
        rows = [next(csv.reader([line]), []) for line in lines]
    if set(map(len, rows)) == {width}:
        return Chunk(path, header, numbers, list(zip(*rows, strict=True)))
    return _split_invalid(path, header, numbers, rows)


def _split_invalid(path: Path, header: list[str], lines: range, rows: list[list[str]]) -> Chunk:
    """Rows with the right number of fields, and the others with the reason; empty lines are ignored."""
    valid = [(n, row) for n, row in zip(lines, rows, strict=True) if len(row) == len(header)]
    invalid = [
        InvalidRow(n, ",".join(row), f"{len(row)} fields instead of {len(header)}")
        for n, row in zip(lines, rows, strict=True)
        if row and len(row) != len(header)
    ]
    columns = list(zip(*(row for _, row in valid), strict=True)) or [()] * len(header)
    return Chunk(path, header, [n for n, _ in valid], columns, invalid)
