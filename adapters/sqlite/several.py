"""Rows that are inserted several to a statement: each costs a third less than one by itself."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from itertools import chain, islice
from typing import Any

_VALUES = 128  # of a statement; more together save little more, and a longer statement is dearer to prepare
_LEAST, _MOST = 8, 16  # rows


class Several:
    """`INSERT INTO table VALUES (...)`, and what follows: an upsert clause, or nothing.

    `row`: of each column the place of its value among those that are given, or the SQL of one that is fixed. A value
    that several columns have is so given once: the values are half of what a row costs.
    """

    def __init__(self, table: str, row: Sequence[int | str], clause: str = "") -> None:
        self._width = width = len({place for place in row if isinstance(place, int)})
        self._together = min(max(_VALUES // width, _LEAST), _MOST)

        def values(number: int) -> str:
            first = number * width + 1
            return f"({','.join(f'?{first + place}' if isinstance(place, int) else place for place in row)})"

        self._one, self._more = (
            f"INSERT INTO {table} VALUES {','.join(map(values, range(count)))} {clause}"  # noqa: S608 - names of this program
            for count in (1, self._together)
        )

    def insert(self, db: sqlite3.Connection, columns: Sequence[Sequence[Any]]) -> None:
        """Insert rows, given by columns, in their order."""
        rows = zip(*columns, strict=True)
        values = chain.from_iterable(rows)
        together = zip(*[values] * (self._width * self._together), strict=False)  # so many values at a time
        db.executemany(self._more, islice(together, len(columns[0]) // self._together))
        db.executemany(self._one, rows)  # the rest
