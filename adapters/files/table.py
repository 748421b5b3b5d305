"""Rows of a recorded file as columns: `Chunk`, and the two kinds of column that need no text for each row.

`Coded` holds each different text once, `Floats` holds numbers; both can be read like a list of texts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, overload

import numpy as np

from telemetry.series import FloatArray, IntArray

MEASUREMENTS = ["time", "device", "quantity", "value", "unit"]
SESSIONS = ["start", "end", "device", "energy_kwh", "user_hash"]
OUTAGES = ["start", "end", "device", "customers", "id"]
LAYOUTS = (MEASUREMENTS, SESSIONS, OUTAGES)


class InvalidRow(NamedTuple):
    """An invalid row: 1-based line, its text, the reason."""

    line: int
    text: str
    reason: str


class Coded(Sequence[str]):
    """A column of texts of which many are equal: row n is `values[codes[n]]`."""

    def __init__(self, values: Sequence[str], codes: IntArray) -> None:
        self.values, self.codes = values, codes

    @staticmethod
    def of(texts: Iterable[str]) -> Coded:
        """From the texts of the rows."""
        if isinstance(texts, Coded):
            return texts
        numbers: dict[str, int] = {}
        codes = [numbers.setdefault(text, len(numbers)) for text in texts]
        return Coded(list(numbers), np.array(codes, dtype=np.int64))

    def __len__(self) -> int:
        return len(self.codes)

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> Coded: ...
    def __getitem__(self, place: int | slice) -> str | Coded:
        if isinstance(place, slice):
            return Coded(self.values, self.codes[place])
        return self.values[int(self.codes[place])]

    def __iter__(self) -> Iterator[str]:
        values = self.values
        return (values[code] for code in self.codes.tolist())

    def take(self, rows: IntArray) -> Coded:
        """The given rows."""
        return Coded(self.values, self.codes[rows])


class Floats(Sequence[str]):
    """A column of numbers. A row that has none is NaN."""

    def __init__(self, numbers: FloatArray) -> None:
        self.numbers = numbers

    def __len__(self) -> int:
        return len(self.numbers)

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> Floats: ...
    def __getitem__(self, place: int | slice) -> str | Floats:
        if isinstance(place, slice):
            return Floats(self.numbers[place])
        return repr(float(self.numbers[place])).removesuffix(".0")

    def take(self, rows: IntArray) -> Floats:
        """The given rows."""
        return Floats(self.numbers[rows])


Column = Sequence[str]


@dataclass(slots=True)
class Chunk:
    """Consecutive rows of one file, a column for each field of the header.

    `lines`: the rows' 1-based line numbers. `size`: bytes of the file that were read for them, for a progress bar.
    """

    path: Path
    header: list[str]
    lines: Sequence[int]
    columns: Sequence[Column]
    invalid: list[InvalidRow] = field(default_factory=list)
    size: int = 0

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

    def column(self, name: str) -> Column:
        """The column of this name."""
        return self.columns[self.header.index(name)]

    def rows(self) -> Iterator[tuple[str, ...]]:
        """The rows in order."""
        return zip(*self.columns, strict=True)

    def text(self, row: int) -> str:
        """One row, nearly as it is in the file."""
        return ",".join(column[row] for column in self.columns)

    def part(self, first: int, end: int | None = None) -> Chunk:
        """The rows first..end - 1, without the invalid ones."""
        return Chunk(self.path, self.header, self.lines[first:end], [c[first:end] for c in self.columns])
