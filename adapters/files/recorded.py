"""Recorded readings from CSV files (optionally gzipped), in chunks of columns.

Three layouts, distinguished by their header: `time,device,quantity,value,unit`, the charging sessions
`start,end,device,energy_kwh,user_hash` and the outage log `start,end,device,customers,id`. As spreadsheets and loggers
write them: columns in any order, more columns than needed, capital letters, blanks, `;` or tabs (then with decimal
commas), UTF-8 with or without its mark, UTF-16, Windows-1252, comment lines (#) before the header.
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
            first, line = 1, file.readline()
            while line.startswith("#"):
                first, line = first + 1, file.readline()
            yield from _chunks(path, _shape(path, first, line), file, size, first + 1)
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}.") from None


class _Shape(NamedTuple):
    """How the rows of a file are written. `places`: where the columns of the layout stand, None: as they are."""

    header: list[str]
    delimiter: str
    width: int
    places: list[int] | None


def _shape(path: Path, number: int, line: str) -> _Shape:
    """From the header. Raises UsageError for one that is of no layout."""
    delimiter = max(",;\t", key=line.count)
    names = [name.strip().lower() for name in next(csv.reader([line], delimiter=delimiter), [])]
    for layout in (MEASUREMENTS, SESSIONS, OUTAGES):
        if set(layout) <= set(names):
            places = [names.index(name) for name in layout]
            return _Shape(layout, delimiter, len(names), None if names == layout else places)
    known = ", or ".join(map(",".join, (MEASUREMENTS, SESSIONS, OUTAGES)))
    raise UsageError(f"{path}, line {number}: the header must contain {known}.")


def _open(path: Path) -> io.TextIOBase:
    with path.open("rb") as probe:
        packed = probe.read(2) == b"\x1f\x8b"
    with gzip.open(path, "rb") if packed else path.open("rb") as probe:
        encoding = _encoding(probe.read(_BLOCK))
    if packed:
        return io.TextIOWrapper(gzip.open(path, "rb"), encoding=encoding)
    return path.open(encoding=encoding)


def _encoding(start: bytes) -> str:
    if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    try:
        start[: start.rfind(b"\n") + 1 or None].decode("utf-8")
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8-sig"


def _chunks(path: Path, shape: _Shape, file: io.TextIOBase, size: int, line: int) -> Iterator[Chunk]:
    """A field may not contain a line end, so a whole block can be split into lines at once, which is fast."""
    rest = ""
    while block := file.read(_BLOCK):
        lines = (rest + block).split("\n")
        rest = lines.pop()
        for start in range(0, len(lines), size):
            part = lines[start : start + size]
            yield _arranged(_chunk(path, shape, range(line, line + len(part)), part), shape)
            line += len(part)
    if rest:
        yield _arranged(_chunk(path, shape, range(line, line + 1), [rest]), shape)


def _arranged(chunk: Chunk, shape: _Shape) -> Chunk:
    """The columns of the layout in its order, without blanks around them, with decimal points."""
    columns = chunk.columns if shape.places is None else [chunk.columns[place] for place in shape.places]
    if any(text[:1] == " " or text[-1:] == " " for column in columns for text in column):
        columns = [[text.strip() for text in column] for column in columns]
    if shape.delimiter != ",":
        numbers = {"value", "energy_kwh", "customers"}
        columns = [
            [text.replace(",", ".") for text in column] if name in numbers else column
            for name, column in zip(shape.header, columns, strict=True)
        ]
    return Chunk(chunk.path, chunk.header, chunk.lines, columns, chunk.invalid)


def _chunk(path: Path, shape: _Shape, numbers: range, lines: list[str]) -> Chunk:
    """The columns as they stand in the file."""
    width, comma, header = shape.width, shape.delimiter, shape.header
    if not any('"' in line or "\r" in line for line in lines) and {line.count(comma) for line in lines} == {width - 1}:
        fields = comma.join(lines).split(comma)  # a third of the time of the csv module
        return Chunk(path, header, numbers, [fields[i::width] for i in range(width)])
    rows = list(csv.reader(lines, delimiter=comma))
    if len(rows) != len(lines):  # an unclosed quote includes the lines after it
        rows = [next(csv.reader([line], delimiter=comma), []) for line in lines]
    if set(map(len, rows)) == {width}:
        return Chunk(path, header, numbers, list(zip(*rows, strict=True)))
    return _split_invalid(path, shape, numbers, rows)


def _split_invalid(path: Path, shape: _Shape, lines: range, rows: list[list[str]]) -> Chunk:
    """Rows with the right number of fields, and the others with the reason; empty lines are ignored."""
    width = shape.width
    valid = [(n, row) for n, row in zip(lines, rows, strict=True) if len(row) == width]
    invalid = [
        InvalidRow(n, ",".join(row), f"{len(row)} fields instead of {width}")
        for n, row in zip(lines, rows, strict=True)
        if row and len(row) != width
    ]
    columns = list(zip(*(row for _, row in valid), strict=True)) or [()] * width
    return Chunk(path, shape.header, [n for n, _ in valid], columns, invalid)
