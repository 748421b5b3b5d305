"""CSV files as chunks of columns, as spreadsheets and loggers write them.

Separated by `,`, `;` or tabs; lines before the header are passed over; an invalid row is reported with its line. Blocks
that are sound are decoded by columns (pyarrow, where it is installed); every other block row by row, so that each
invalid row has its own reason.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from adapters.files import text
from adapters.files.arrow_csv import Numbers, decoded
from adapters.files.table import Chunk, InvalidRow

_BLOCK = 4 << 20
_HEAD = 60  # lines among which a header is looked for
CHUNK = 50_000


class Header(NamedTuple):
    """The columns' names in their spelling, what separates them, the line they are on (0: the file has none)."""

    names: list[str]
    delimiter: str
    line: int


def fields(line: str) -> tuple[list[str], str]:
    """The fields of a line that may be a header, and what separates them."""
    delimiter = max(",;\t", key=line.count)
    return [name.strip() for name in next(csv.reader([line], delimiter=delimiter), [])], delimiter


def heads(path: Path) -> Iterator[Header]:
    """The first lines of a file as headers that they could be, without comments. Raises UsageError."""
    with text.opened(path) as file:
        for number, line in enumerate(file.text, 1):
            if number > _HEAD:
                return
            if line.strip() and not line.startswith("#"):
                yield Header(*fields(line), number)


def find_header(path: Path, fits: Callable[[list[str]], bool]) -> Header | None:
    """The first line that is a header. `fits`: whether names are. Raises UsageError."""
    return next((head for head in heads(path) if fits(head.names)), None)


def read(path: Path, header: Header, numbers: Mapping[str, Numbers], size: int = CHUNK) -> Iterator[Chunk]:
    """The rows after the header, up to `size` in a chunk. `numbers`: columns that hold numbers. Raises UsageError."""
    with text.opened(path) as file:
        for _ in range(header.line):
            file.text.readline()
        line, rest = header.line + 1, ""
        while block := file.text.read(_BLOCK):
            block = rest + block
            cut = block.rfind("\n") + 1
            block, rest = block[:cut], block[cut:]
            for chunk in _chunks(path, header, block, line, numbers, size):
                chunk.size = file.progress()
                yield chunk
            line += block.count("\n")
        if rest:
            [last] = _chunks(path, header, rest + "\n", line, {}, size)
            last.size = file.progress()
            yield last


def _chunks(
    path: Path, header: Header, block: str, line: int, numbers: Mapping[str, Numbers], size: int
) -> Iterator[Chunk]:
    """The rows of a block of whole lines. A field may not contain a line end."""
    columns = decoded(block, header.names, header.delimiter, numbers) if numbers else None
    if columns is not None:
        rows = len(columns[0])
        for start in range(0, rows, size):
            end = min(start + size, rows)
            yield Chunk(path, header.names, range(line + start, line + end), [c[start:end] for c in columns])
        return
    lines = block.split("\n")[:-1]
    for start in range(0, len(lines), size):
        part = lines[start : start + size]
        yield _stripped(_rows(path, header, range(line + start, line + start + len(part)), part))


def _stripped(chunk: Chunk) -> Chunk:
    """The columns without blanks around their texts."""
    if any(t[:1] == " " or t[-1:] == " " for column in chunk.columns for t in column):
        chunk.columns = [[t.strip() for t in column] for column in chunk.columns]
    return chunk


def _rows(path: Path, header: Header, numbers: range, lines: list[str]) -> Chunk:
    """The columns as they stand in the file."""
    width, comma = len(header.names), header.delimiter
    if not any('"' in line or "\r" in line for line in lines) and {line.count(comma) for line in lines} == {width - 1}:
        found = comma.join(lines).split(comma)  # a third of the time of the csv module
        return Chunk(path, header.names, numbers, [found[i::width] for i in range(width)])
    rows = list(csv.reader(lines, delimiter=comma))
    if len(rows) != len(lines):  # an unclosed quote includes the lines after it
        rows = [next(csv.reader([line], delimiter=comma), []) for line in lines]
    if set(map(len, rows)) == {width}:
        return Chunk(path, header.names, numbers, list(zip(*rows, strict=True)))
    return _split_invalid(path, header, numbers, rows)


def _split_invalid(path: Path, header: Header, lines: range, rows: list[list[str]]) -> Chunk:
    """Rows with the right number of fields, and the others with the reason; empty lines are ignored."""
    width = len(header.names)
    valid = [(n, row) for n, row in zip(lines, rows, strict=True) if len(row) == width]
    invalid = [
        InvalidRow(n, ",".join(row), f"{len(row)} fields instead of {width}")
        for n, row in zip(lines, rows, strict=True)
        if row and len(row) != width
    ]
    columns = list(zip(*(row for _, row in valid), strict=True)) or [()] * width
    return Chunk(path, header.names, [n for n, _ in valid], columns, invalid)
