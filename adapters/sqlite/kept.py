"""From when on partials are kept in the embedded store, and the deletion of older ones in bounded pieces."""

from __future__ import annotations

import json
import sqlite3

from adapters.columns import BUCKET
from adapters.sqlite.connection import rows, transaction
from adapters.store import Kept, Level
from telemetry.quantities import LEDGER

_BUCKETS = 100  # at once
TABLES = """
CREATE TABLE IF NOT EXISTS kept (city TEXT NOT NULL, level TEXT NOT NULL, start INTEGER NOT NULL,
  deleted INTEGER NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (city, level)) WITHOUT ROWID;
"""


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
        gone = _delete(db, level, (bucket, mine, start, end, most))
        most -= gone
        if most <= 0:
            return max(start, bucket * BUCKET[level])  # more may be left in this bucket
        start = min((bucket + 1) * BUCKET[level], end)
    return start


def _next(db: sqlite3.Connection, level: Level, bucket: int) -> int | None:
    found: int | None = rows(db, f'SELECT min(bucket) FROM "{level}" WHERE bucket >= ?', (bucket,))[0][0]  # noqa: S608
    return found


def _delete(db: sqlite3.Connection, level: Level, values: tuple[int, str, int, int, int]) -> int:
    identity = "bucket, series, start"
    with transaction(db):
        return db.execute(
            f'DELETE FROM "{level}" WHERE ({identity}) IN (SELECT {identity} FROM "{level}" WHERE bucket = ?'  # noqa: S608
            " AND series IN (SELECT value FROM json_each(?)) AND start >= ? AND start < ? LIMIT ?)",
            values,
        ).rowcount
