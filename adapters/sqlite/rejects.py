"""Rejected messages, kept with their reason: listable, replayable, bounded. A table in a SQLite file."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from adapters.sqlite.connection import Schema, connect, transaction

SCHEMA = """
CREATE TABLE IF NOT EXISTS reject (
  id INTEGER PRIMARY KEY, at INTEGER NOT NULL, topic TEXT NOT NULL, payload BLOB NOT NULL, reason TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS reject_total (one INTEGER PRIMARY KEY CHECK (one = 1), bytes INTEGER, dropped INTEGER);
INSERT OR IGNORE INTO reject_total VALUES (1, 0, 0);
CREATE TABLE IF NOT EXISTS underived (city TEXT PRIMARY KEY);
"""


class Reject(NamedTuple):
    """A message that could not be used, or not wholly. `at`: ms UTC."""

    id: int
    at: int
    topic: str
    payload: bytes
    reason: str


class Rejects:
    """The kept messages of one program."""

    def __init__(self, db: sqlite3.Connection, max_bytes: int = 64 << 20) -> None:
        self._db, self._max_bytes = db, max_bytes

    @property
    def db(self) -> sqlite3.Connection:
        """The file, for what else is kept in it."""
        return self._db

    @staticmethod
    def open(path: Path) -> Rejects:
        """A file of its own."""
        return Rejects(connect(path, Schema("reject", SCHEMA)))

    def add(self, rows: Iterable[tuple[int, str, bytes, str]]) -> None:
        """Keep messages as (at ms, topic, payload, reason); beyond the limit in bytes the oldest go."""
        rows = list(rows)
        if not rows:
            return
        with transaction(self._db) as db:
            db.executemany("INSERT INTO reject (at, topic, payload, reason) VALUES (?,?,?,?)", rows)
            db.execute("UPDATE reject_total SET bytes = bytes + ?", (sum(len(r[2]) for r in rows),))
            while db.execute("SELECT bytes FROM reject_total").fetchone()[0] > self._max_bytes:
                oldest = db.execute("SELECT id, length(payload) FROM reject ORDER BY id LIMIT 100").fetchall()
                db.execute("DELETE FROM reject WHERE id <= ?", (oldest[-1][0],))
                freed = (sum(n for _, n in oldest), len(oldest))
                db.execute("UPDATE reject_total SET bytes = bytes - ?, dropped = dropped + ?", freed)

    def note_underived(self, cities: Iterable[str]) -> None:
        """Note that windows of these cities go to the store now and their KPIs are still to be derived."""
        with transaction(self._db) as db:
            db.executemany("INSERT OR IGNORE INTO underived VALUES (?)", [(city,) for city in cities])

    def all_derived(self) -> None:
        """Take the notes back."""
        with transaction(self._db) as db:
            db.execute("DELETE FROM underived")

    def underived(self) -> list[str]:
        """Cities whose KPIs may not show all that is stored: the program ended between the two."""
        return [city for (city,) in self._db.execute("SELECT city FROM underived")]

    def newest(self, limit: int = 1000) -> list[Reject]:
        """The newest kept messages, newest first."""
        return [Reject(*row) for row in self._db.execute("SELECT * FROM reject ORDER BY id DESC LIMIT ?", (limit,))]

    def dropped(self) -> int:
        """How many were let go because of the limit."""
        return int(self._db.execute("SELECT dropped FROM reject_total").fetchone()[0])

    def delete(self, ids: Sequence[int]) -> None:
        """Forget messages that were replayed."""
        with transaction(self._db) as db:
            which = (json.dumps(list(ids)),)
            sql = "SELECT total(length(payload)) FROM reject WHERE id IN (SELECT value FROM json_each(?))"
            freed = int(db.execute(sql, which).fetchone()[0])
            db.execute("DELETE FROM reject WHERE id IN (SELECT value FROM json_each(?))", which)
            db.execute("UPDATE reject_total SET bytes = bytes - ?", (freed,))
