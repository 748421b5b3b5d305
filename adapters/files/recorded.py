"""Recorded readings from CSV files (optionally gzipped), in chunks of columns.

Three layouts, distinguished by their header: `time,device,quantity,value,unit`, the charging sessions
`start,end,device,energy_kwh,user_hash` and the outage log `start,end,device,customers,id`. As spreadsheets and loggers
write them: columns in any order, more columns than needed, capital letters, blanks, `;` or tabs (then with decimal
commas), UTF-8 with or without its mark, UTF-16, Windows-1252, comment lines (#) before the header.
An invalid row is reported with its line and skipped. Files of other layouts: `gateway/recorded`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from adapters.files import csv_table
from adapters.files.arrow_csv import Numbers
from adapters.files.csv_table import CHUNK, Header
from adapters.files.table import LAYOUTS, MEASUREMENTS, Chunk, Column, Floats, InvalidRow
from telemetry.errors import UsageError

__all__ = ["MEASUREMENTS", "Chunk", "InvalidRow", "layout", "read"]

_NUMBERS = {"value", "energy_kwh", "customers"}


def layout(names: list[str]) -> list[str] | None:
    """The layout of which all columns are among the names, in any spelling; None where there is none."""
    found = {name.lower() for name in names}
    return next((known for known in LAYOUTS if set(known) <= found), None)


def read(path: Path, size: int = CHUNK) -> Iterator[Chunk]:
    """Chunks of up to `size` rows. Raises UsageError for a missing file or an unknown header."""
    header = next(csv_table.heads(path), None)
    wanted = layout(header.names) if header else None
    if header is None or wanted is None:
        known = ", or ".join(map(",".join, LAYOUTS))
        raise UsageError(f"{path}, line {header.line if header else 1}: the header must contain {known}.")
    yield from arranged(path, header, wanted, size)


def arranged(path: Path, header: Header, wanted: list[str], size: int = CHUNK) -> Iterator[Chunk]:
    """The rows after a header that has the columns of a layout, in the order of the layout. Raises UsageError."""
    names = [name.lower() for name in header.names]
    numbers = {name: Numbers() for name in ("value",) if wanted is MEASUREMENTS}
    places = [names.index(name) for name in wanted]
    for chunk in csv_table.read(path, header._replace(names=names), numbers, size):
        columns = [chunk.columns[place] for place in places]
        if header.delimiter != ",":
            columns = [
                _pointed(column) if name in _NUMBERS else column for name, column in zip(wanted, columns, strict=True)
            ]
        yield Chunk(path, wanted, chunk.lines, columns, chunk.invalid, chunk.size)


def _pointed(column: Column) -> Column:
    """Numbers with a decimal point for a decimal comma."""
    return column if isinstance(column, Floats) else [text.replace(",", ".") for text in column]
