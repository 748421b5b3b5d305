"""From when on partials are kept in PostgreSQL, and the deletion of older ones in bounded pieces."""

from __future__ import annotations

from adapters.postgres.connection import Connection, upsert
from adapters.store import Kept, Level
from telemetry.quantities import LEDGER

_PUT = upsert("kept", ("city", "level", *Kept._fields), ("city", "level"))


def kept(connection: Connection, city: str, level: Level) -> Kept | None:
    """See Store."""
    sql = "SELECT start, deleted, at FROM kept WHERE city = %s AND level = %s"
    found = connection.read(sql, (city, level))
    return Kept(*found[0]) if found else None


def put_kept(connection: Connection, city: str, level: Level, noted: Kept) -> None:
    """See Store."""
    with connection.transaction() as cursor:
        cursor.execute(_PUT, (city, level, *noted))


def delete_partials(connection: Connection, city: str, level: Level, start: int, end: int, most: int) -> int:
    """See Store. One transaction; the table is in the order of time, so it reads what it deletes."""
    sql = "SELECT id FROM series WHERE city = %s AND NOT starts_with(quantity, %s)"
    mine = [row[0] for row in connection.read(sql, (city, LEDGER))]
    with connection.transaction() as cursor:
        cursor.execute(
            f'WITH old AS (SELECT start, series FROM "{level}" WHERE start >= %s AND start < %s'  # noqa: S608
            " AND series = ANY(%s) ORDER BY start, series LIMIT %s),"
            f' gone AS (DELETE FROM "{level}" USING old WHERE "{level}".start = old.start'
            f' AND "{level}".series = old.series RETURNING old.start) SELECT count(*), max(start) FROM gone',
            (start, end, mine, most),
        )
        count, newest = cursor.fetchone() or (0, None)
    return end if newest is None or count < most else int(newest)
