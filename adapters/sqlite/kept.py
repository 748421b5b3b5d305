"""Of which time there are partials in the embedded store, from when on they are kept, and the deletion of older ones in
bounded pieces.
"""

from __future__ import annotations

import json
import sqlite3

from adapters.columns import BUCKET
from adapters.sqlite.connection import rows, transaction
from adapters.store import Kept, Level
from telemetry.partials import Partials
from telemetry.quantities import LEDGER
from telemetry.series import SeriesTable

_BUCKETS = 100  # at once
# `span`: first and last start of a city's partials, written with them; without a row they are searched for.
TABLES = """
CREATE TABLE IF NOT EXISTS span (city TEXT NOT NULL, level TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
  PRIMARY KEY (city, level)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS kept (city TEXT NOT NULL, level TEXT NOT NULL, start INTEGER NOT NULL,
  deleted INTEGER NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (city, level)) WITHOUT ROWID;
"""


def span(db: sqlite3.Connection, city: str, level: Level) -> tuple[int, int] | None:
    """See Store."""
    found = rows(db, "SELECT first, last FROM span WHERE city = ? AND level = ?", (city, level))
    return found[0] if found else _searched(db, city, level)


def note_span(db: sqlite3.Connection, level: Level, partials: Partials, table: SeriesTable) -> None:
    """Note the time of partials, within the transaction that has written them."""
    for city, mine in table.by_city(partials.series):
        starts = partials.start if mine.all() else partials.start[mine]
        first, last = int(starts.min()), int(starts.max())
        where = "WHERE city = ? AND level = ?"
        known = db.execute(f"SELECT first, last FROM span {where}", (city, level)).fetchone()  # noqa: S608 - fixed text
        if known is None:
            whole = _searched(db, city, level)
            db.execute("INSERT INTO span VALUES (?,?,?,?)", (city, level, *(whole or (first, last))))
        elif first < known[0] or last > known[1]:
            ends = min(first, known[0]), max(last, known[1])
            db.execute(f"UPDATE span SET first = ?, last = ? {where}", (*ends, city, level))  # noqa: S608


def _searched(db: sqlite3.Connection, city: str, level: Level) -> tuple[int, int] | None:
    if not rows(db, "SELECT 1 FROM series WHERE city=? LIMIT 1", (city,)):
        return None  # else the rows of all other cities would be searched
    first = rows(db, _edge(level, "min", ">"), (city,) * 4)[0][0]
    return None if first is None else (first, rows(db, _edge(level, "max", "<"), (city,) * 4)[0][0])


def _edge(level: Level, least: str, beyond: str) -> str:
    """The first or last start of a city (named four times): bucket by bucket, never through the rows of other cities.

    Most cities have ids in a row, so the range of their ids finds a bucket without them in one seek.
    """
    mine = "SELECT id FROM series WHERE city = ?"
    near = "series BETWEEN (SELECT min(id) FROM series WHERE city = ?) AND (SELECT max(id) FROM series WHERE city = ?)"
    return (
        f'WITH RECURSIVE b(x) AS (SELECT {least}(bucket) FROM "{level}" UNION ALL'  # noqa: S608 - fixed names
        f' SELECT (SELECT {least}(bucket) FROM "{level}" WHERE bucket {beyond} x) FROM b WHERE x IS NOT NULL),'
        f' hit(x) AS (SELECT x FROM b WHERE EXISTS (SELECT 1 FROM "{level}" WHERE bucket = x AND {near}'
        f" AND +series IN ({mine})) LIMIT 1)"
        f' SELECT {least}((SELECT {least}(start) FROM "{level}" WHERE bucket = (SELECT x FROM hit) AND series = s.id))'
        " FROM series s WHERE city = ?"
    )


def kept(db: sqlite3.Connection, city: str, level: Level) -> Kept | None:
    """See Store."""
    found = rows(db, "SELECT start, deleted, at FROM kept WHERE city = ? AND level = ?", (city, level))
    return Kept(*found[0]) if found else None


def put_kept(db: sqlite3.Connection, city: str, level: Level, noted: Kept) -> None:
    """See Store."""
    with transaction(db):
        db.execute("INSERT OR REPLACE INTO kept VALUES (?,?,?,?,?)", (city, level, *noted))


def delete_partials(db: sqlite3.Connection, city: str, level: Level, start: int, end: int, most: int) -> int:
    """See Store. Bucket by bucket, each in one transaction: the cost is that of the rows it deletes."""
    sql = "SELECT id FROM series WHERE city = ? AND quantity NOT GLOB ?"
    mine = json.dumps([row[0] for row in rows(db, sql, (city, f"{LEDGER}*"))])
    for _ in range(_BUCKETS):
        bucket = _next(db, level, start // BUCKET[level]) if start < end else None
        if bucket is None or bucket * BUCKET[level] >= end:
            return end
        gone = _delete(db, city, level, (bucket, mine, start, end, most))
        most -= gone
        if most <= 0:
            return max(start, bucket * BUCKET[level])  # more may be left in this bucket
        start = min((bucket + 1) * BUCKET[level], end)
    return start


def _next(db: sqlite3.Connection, level: Level, bucket: int) -> int | None:
    found: int | None = rows(db, f'SELECT min(bucket) FROM "{level}" WHERE bucket >= ?', (bucket,))[0][0]  # noqa: S608
    return found


def _delete(db: sqlite3.Connection, city: str, level: Level, values: tuple[int, str, int, int, int]) -> int:
    identity = "bucket, series, start"
    with transaction(db):
        db.execute("DELETE FROM span WHERE city = ? AND level = ?", (city, level))  # the next write searches for it
        return db.execute(
            f'DELETE FROM "{level}" WHERE ({identity}) IN (SELECT {identity} FROM "{level}" WHERE bucket = ?'  # noqa: S608
            " AND series IN (SELECT value FROM json_each(?)) AND start >= ? AND start < ? LIMIT ?)",
            values,
        ).rowcount
