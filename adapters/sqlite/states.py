"""Checkpoints of the KPI engine in the embedded store: `States` over its connection."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable

from adapters.sqlite.connection import rows, transaction
from adapters.states import days_of
from telemetry.partials import Partials
from telemetry.series import SeriesTable

# `hours_written`: per UTC day the number of the last write of hours of that day.
TABLES = """
CREATE TABLE IF NOT EXISTS hours_written (city TEXT NOT NULL, day INTEGER NOT NULL, number INTEGER NOT NULL,
  PRIMARY KEY (city, day)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS hours_written_number ON hours_written (city, number);
CREATE TABLE IF NOT EXISTS state (city TEXT PRIMARY KEY, head BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS state_part (city TEXT NOT NULL, name TEXT NOT NULL, data BLOB NOT NULL,
  PRIMARY KEY (city, name));
"""
_NEWEST = "SELECT coalesce(max(number), 0) FROM hours_written WHERE city = ?"


def note_hours(db: sqlite3.Connection, hours: Partials, table: SeriesTable) -> None:
    """Number a write of hours, within the transaction that writes them."""
    for city, days in days_of(hours, table):
        number = db.execute(_NEWEST, (city,)).fetchone()[0] + 1
        db.executemany("INSERT OR REPLACE INTO hours_written VALUES (?,?,?)", [(city, day, number) for day in days])


class SqliteStates:
    """See States."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def number(self, city: str) -> int:
        """See States."""
        return int(rows(self._db, _NEWEST, (city,))[0][0])

    def days_after(self, city: str, number: int) -> list[int]:
        """See States."""
        sql = "SELECT day FROM hours_written WHERE city = ? AND number > ? ORDER BY day"
        return [row[0] for row in rows(self._db, sql, (city, number))]

    def head(self, city: str) -> bytes | None:
        """See States."""
        found = rows(self._db, "SELECT head FROM state WHERE city = ?", (city,))
        return found[0][0] if found else None

    def parts(self, city: str) -> dict[str, bytes]:
        """See States."""
        return dict(rows(self._db, "SELECT name, data FROM state_part WHERE city = ?", (city,)))

    def put(self, city: str, parts: Iterable[tuple[str, bytes | None]], head: Callable[[], bytes]) -> bool:
        """See States."""
        with transaction(self._db) as db:
            gone = {row[0] for row in db.execute("SELECT name FROM state_part WHERE city = ?", (city,))}
            for name, data in parts:
                gone.discard(name)
                if data is not None:
                    db.execute("INSERT OR REPLACE INTO state_part VALUES (?,?,?)", (city, name, data))
            db.executemany("DELETE FROM state_part WHERE city = ? AND name = ?", [(city, name) for name in gone])
            db.execute("INSERT OR REPLACE INTO state VALUES (?,?)", (city, head()))
        return True

    def drop(self, city: str) -> None:
        """See States."""
        with transaction(self._db) as db:
            db.execute("DELETE FROM state WHERE city = ?", (city,))
            db.execute("DELETE FROM state_part WHERE city = ?", (city,))
