"""Rows that are inserted several to a statement: each costs a third less than one by itself."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from itertools import chain, islice
from typing import Any

_TOGETHER = 8  # more together save little more, and a longer statement is dearer to prepare


class Several:
    """`INSERT INTO table VALUES (?,...)` of so many columns, and what follows: an upsert clause, or nothing."""

    def __init__(self, table: str, columns: int, clause: str = "") -> None:
        row = f"({','.join('?' * columns)})"
        self._columns = columns
        self._one, self._more = (
            f"INSERT INTO {table} VALUES {','.join([row] * count)} {clause}"  # noqa: S608 - names of this program
            for count in (1, _TOGETHER)
        )

    def insert(self, db: sqlite3.Connection, columns: Sequence[Sequence[Any]]) -> None:
        """Insert rows, given by columns, in their order."""
        rows = zip(*columns, strict=True)
        values = chain.from_iterable(rows)
        together = zip(*[values] * (self._columns * _TOGETHER), strict=False)  # so many values at a time
        db.executemany(self._more, islice(together, len(columns[0]) // _TOGETHER))
        db.executemany(self._one, rows)  # the rest
