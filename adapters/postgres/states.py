"""Checkpoints of the KPI engine in PostgreSQL: `States` over its connection."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import psycopg

from adapters.postgres.connection import Connection, upsert
from adapters.states import days_of
from telemetry.partials import Partials
from telemetry.series import SeriesTable

_NEWEST = "SELECT coalesce(max(number), 0) FROM hours_written WHERE city = %s"
_WRITTEN = upsert("hours_written", ("city", "day", "number"), ("city", "day"))
_PART = upsert("state_part", ("city", "name", "data"), ("city", "name"))
_STATE = upsert("state", ("city", "head"), ("city",))


def note_hours(cursor: psycopg.Cursor[Any], hours: Partials, table: SeriesTable) -> None:
    """Number a write of hours, within the transaction that writes them."""
    for city, days in days_of(hours, table):
        cursor.execute(_NEWEST, (city,))
        number = (cursor.fetchone() or (0,))[0] + 1
        cursor.executemany(_WRITTEN, [(city, day, number) for day in days])


class PostgresStates:
    """See States."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def number(self, city: str) -> int:
        """See States."""
        return int(self._connection.read(_NEWEST, (city,))[0][0])

    def days_after(self, city: str, number: int) -> list[int]:
        """See States."""
        sql = "SELECT day FROM hours_written WHERE city = %s AND number > %s ORDER BY day"
        return [row[0] for row in self._connection.read(sql, (city, number))]

    def head(self, city: str) -> bytes | None:
        """See States."""
        found = self._connection.read("SELECT head FROM state WHERE city = %s", (city,))
        return found[0][0] if found else None

    def parts(self, city: str) -> dict[str, bytes]:
        """See States."""
        pieces = self._connection.stream("SELECT name, data FROM state_part WHERE city = %s", (city,))
        return {name: data for rows in pieces for name, data in rows}

    def put(self, city: str, parts: Iterable[tuple[str, bytes | None]], head: Callable[[], bytes]) -> bool:
        """See States."""
        with self._connection.transaction() as cursor:
            cursor.execute("SELECT name FROM state_part WHERE city = %s", (city,))
            gone = {row[0] for row in cursor.fetchall()}
            for name, data in parts:
                gone.discard(name)
                if data is not None:
                    cursor.execute(_PART, (city, name, data))
            cursor.execute("DELETE FROM state_part WHERE city = %s AND name = ANY(%s)", (city, list(gone)))
            cursor.execute(_STATE, (city, head()))
        return True

    def drop(self, city: str) -> None:
        """See States."""
        with self._connection.transaction() as cursor:
            cursor.execute("DELETE FROM state WHERE city = %s", (city,))
            cursor.execute("DELETE FROM state_part WHERE city = %s", (city,))
