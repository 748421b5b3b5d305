"""Rows that are inserted several to a statement: each costs a third less than one by itself. Readings and partials are
such rows, in the shape that needs the fewest values: these are half of what a row costs.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any, NamedTuple

import numpy as np

from adapters.columns import BUCKET, PARTIAL_COLUMNS, nullable
from adapters.store import Level
from telemetry.partials import Partials
from telemetry.series import BoolArray, FloatArray, IntArray

_VALUES = 128  # of a statement; more together save little more, and a longer statement is dearer to prepare
_LEAST, _MOST = 8, 16  # rows
_MANY = 64  # rows of a statement that is prepared only where there are as many


class Several:
    """`INSERT INTO table VALUES (...)`, and what follows: an upsert clause, or nothing.

    `row`: of each column the place of its value among those that are given, or the SQL of one that is not: a fixed one,
    or what is calculated of values that columns have, as "{0} * {0}". So a value that several columns have is given
    once: the values are half of what a row costs.
    """

    def __init__(self, table: str, row: Sequence[int | str], clause: str = "") -> None:
        self._width = width = len({place for place in row if isinstance(place, int)})

        def values(number: int) -> str:
            given = [f"?{number * width + 1 + place}" for place in range(width)]
            return f"({','.join(given[c] if isinstance(c, int) else c.format(*given) for c in row)})"

        self._statements = [
            (count, f"INSERT INTO {table} VALUES {','.join(map(values, range(count)))} {clause}")  # noqa: S608 - names of this program
            for count in (_MANY, min(max(_VALUES // width, _LEAST), _MOST), 1)
        ]

    def insert(self, db: sqlite3.Connection, columns: Sequence[Sequence[Any]]) -> None:
        """Insert rows, given by columns, in their order."""
        values, left = chain.from_iterable(zip(*columns, strict=True)), len(columns[0])
        for count, statement in self._statements:
            times, left = divmod(left, count)
            if times:
                together = zip(*[values] * (self._width * count), strict=False)  # so many values at a time
                db.executemany(statement, islice(together, times))


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


_IDENTITY = ("bucket", "series", "start")
_REPLACE = f"ON CONFLICT DO UPDATE SET {','.join(f'{name}=excluded.{name}' for name in PARTIAL_COLUMNS)}"
# Of one accepted reading, the usual partial at a reading a minute or less, most columns have the same value. One that
# was read when its window started and arrived then, as recorded ones do, differs from others in four.
_FIXED = {"n": "1", "flagged": "0"}
_SAME = {"min": "sum", "max": "sum", "first": "sum", "last": "sum", "last_t": "first_t"}


class _Shape(NamedTuple):
    """`given`: the columns whose values are given, in this order."""

    given: tuple[str, ...]
    several: Several


def _shape(level: Level, given: tuple[str, ...], others: Mapping[str, str]) -> _Shape:
    """`others`: of each column that is not given its SQL, or the name of one that is."""
    columns = (others.get(name, name) for name in (*_IDENTITY, *PARTIAL_COLUMNS))
    row = [given.index(name) if name in given else name for name in columns]
    return _Shape(given, Several(f'"{level}"', row, _REPLACE))


def _exact(level: Level) -> _Shape:
    given = ("series", "start", "sum", "increase")
    made = {"bucket": f"{{1}} / {BUCKET[level]}", "sumsq": "{2} * {2}", "lag": "0"}
    return _shape(level, given, {**_SAME, "first_t": "start", "last_t": "start", **_FIXED, **made})


_ALL = {level: _shape(level, (*_IDENTITY, *PARTIAL_COLUMNS), {}) for level in BUCKET}
_SINGLE = {
    level: _shape(level, (*_IDENTITY, "sum", "sumsq", "first_t", "increase", "lag"), {**_SAME, **_FIXED})
    for level in BUCKET
}
_EXACT = {level: _exact(level) for level in BUCKET}


def insert_partials(
    db: sqlite3.Connection, level: Level, bucket: IntArray, series: IntArray, partials: Partials
) -> None:
    """Insert partials in the order of the table, or replace those of their identity. `series`: the store's ids."""
    identity = {"bucket": bucket, "series": series, "start": partials.start}
    for rows, shape in _shapes(level, bucket, partials):
        columns = (identity[name] if name in identity else getattr(partials, name) for name in shape.given)
        shape.several.insert(db, [nullable(column[rows]) for column in columns])


def _shapes(level: Level, bucket: IntArray, partials: Partials) -> Iterator[tuple[BoolArray, _Shape]]:
    """The rows of each shape that occurs."""
    single = _is_single(partials, bucket)
    exact = single & _is_exact(partials)
    if 2 * np.count_nonzero(exact) < len(exact):  # rows of one shape are in the order of the table
        exact[:] = False
    for rows, shape in ((exact, _EXACT), (single & ~exact, _SINGLE), (~single, _ALL)):
        if np.count_nonzero(rows):
            yield rows, shape[level]


def _is_single(partials: Partials, bucket: IntArray) -> BoolArray:
    """Which sorted rows are of one accepted reading; none where two rows have one identity, of which the last holds."""
    found: BoolArray = partials.n == 1
    for name, value in _FIXED.items():
        found &= getattr(partials, name) == int(value)
    for name, other in _SAME.items():
        found &= getattr(partials, name) == getattr(partials, other)
    twins = (bucket[1:] == bucket[:-1]) & (partials.series[1:] == partials.series[:-1])
    twins &= partials.start[1:] == partials.start[:-1]
    return found & (not twins.any())


def _is_exact(partials: Partials) -> BoolArray:
    """Which were read when they started and arrived then. SQLite divides towards zero: none before 1970."""
    with np.errstate(over="ignore", invalid="ignore"):
        found: BoolArray = partials.sumsq == partials.sum * partials.sum
    found &= (partials.first_t == partials.start) & (partials.lag == 0) & (partials.start >= 0)
    return found
