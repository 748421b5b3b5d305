"""Rows that are inserted several to a statement: each costs a third less than one by itself. Readings are such rows."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from itertools import chain, islice
from typing import Any

import numpy as np

from telemetry.series import FloatArray, IntArray

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


# A later value of the same reading replaces it; the same value again changes (and dirties) nothing.
UPSERT = """ON CONFLICT DO UPDATE SET value=excluded.value, arrival=excluded.arrival, flag=excluded.flag
WHERE value<>excluded.value OR flag<>excluded.flag"""
_READINGS = Several("reading", range(7), UPSERT)
_USUAL = Several("reading", (0, 1, 2, "0", 3, 4, "0"), UPSERT)  # key and flag are 0
_RECORDED = Several("reading", (0, 1, 2, "0", 3, 2, "0"), UPSERT)  # and it arrived when it was measured


def insert_readings(db: sqlite3.Connection, columns: Sequence[IntArray | FloatArray], rows: IntArray) -> None:
    """Insert these rows of the columns of the table `reading`; of one identity the last holds.

    Those with a key, as charging sessions, are inserted after the others: no other reading has their identity.
    """
    _, _, t, key, _, arrival, flag = columns
    keyed = key[rows] != 0
    plain, others = (rows[~keyed], rows[keyed]) if np.count_nonzero(keyed) else (rows, rows[:0])
    usual = not np.count_nonzero(flag[plain])
    recorded = usual and np.array_equal(arrival[plain], t[plain])
    kind = (_RECORDED, (0, 1, 2, 4)) if recorded else (_USUAL, (0, 1, 2, 4, 5)) if usual else (_READINGS, range(7))
    for some, (several, places) in ((plain, kind), (others, (_READINGS, range(7)))):
        if len(some):
            several.insert(db, [columns[place][some].tolist() for place in places])
