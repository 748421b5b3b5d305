"""Rejected messages, kept with their reason: listable, replayable, bounded. A table in a SQLite file.

The bound counts what a row takes in the file: payload, topic, reason and its overhead. Beyond it the oldest messages of
the sender that holds most are dropped, so that no sender can displace what is kept of another.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from adapters.sqlite.connection import Schema, connect, transaction

SCHEMA = """
CREATE TABLE IF NOT EXISTS reject (
  id INTEGER PRIMARY KEY, at INTEGER NOT NULL, topic TEXT NOT NULL, payload BLOB NOT NULL, reason TEXT NOT NULL,
  number INTEGER NOT NULL DEFAULT 0, sender TEXT NOT NULL DEFAULT '', digest BLOB
);
CREATE TABLE IF NOT EXISTS reject_sender (sender TEXT PRIMARY KEY, bytes INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS reject_total (one INTEGER PRIMARY KEY CHECK (one = 1), bytes INTEGER, dropped INTEGER);
INSERT OR IGNORE INTO reject_total VALUES (1, 0, 0);
CREATE TABLE IF NOT EXISTS underived (city TEXT PRIMARY KEY);
"""

VERSION = 2
# Columns that files of version 1 do not have. They are added where they are missing, because two parts of a program
# may keep their rejects in one file.
_ADDED = {"number": "INTEGER NOT NULL DEFAULT 0", "sender": "TEXT NOT NULL DEFAULT ''", "digest": "BLOB"}
_INDEXES = """
CREATE INDEX IF NOT EXISTS reject_of_sender ON reject (sender, id);
CREATE UNIQUE INDEX IF NOT EXISTS reject_once ON reject (digest) WHERE digest IS NOT NULL;
"""
_LONGEST_TOPIC, _LONGEST_REASON = 1024, 2048
_ROW = 100  # bytes of a row beside its texts, its share of the indexes included
_SIZE = f"(length(payload) + length(CAST(topic AS BLOB)) + length(CAST(reason AS BLOB)) + length(sender) + {_ROW})"


class RejectedMessage(NamedTuple):
    """A message to be kept. `at`: ms UTC. `number`: of its arrival at this program, 0 where it has none.

    `sender`: whose share of the room it takes. `digest`: one message with this digest is kept once (retained ones are
    delivered at every start).
    """

    at: int
    topic: str
    payload: bytes
    reason: str
    number: int = 0
    sender: str = ""
    digest: bytes | None = None


class Reject(NamedTuple):
    """A message that could not be used, or not wholly. `at`: ms UTC. `number`: of its arrival, 0 where it had none."""

    id: int
    at: int
    topic: str
    payload: bytes
    reason: str
    number: int = 0


class Rejects:
    """The rejects of one program."""

    def __init__(self, db: sqlite3.Connection, max_bytes: int = 64 << 20) -> None:
        self._db, self._max_bytes = db, max_bytes
        self._add_columns()

    def limit(self, max_bytes: int) -> None:
        """Bound what is kept, in bytes of the file."""
        self._max_bytes = max_bytes

    def _add_columns(self) -> None:
        with transaction(self._db) as db:
            there = {row[1] for row in db.execute("PRAGMA table_info(reject)")}
            for name in [name for name in _ADDED if name not in there]:
                db.execute(f"ALTER TABLE reject ADD COLUMN {name} {_ADDED[name]}")
            for statement in _INDEXES.strip().splitlines():
                db.execute(statement)
            if "sender" not in there:
                self._recount()

    def _recount(self) -> None:
        """Count the bytes of a file whose total counted payloads only."""
        self._db.execute("DELETE FROM reject_sender")
        self._db.execute(f"INSERT INTO reject_sender SELECT sender, sum{_SIZE} FROM reject GROUP BY sender")  # noqa: S608
        self._db.execute(f"UPDATE reject_total SET bytes = (SELECT coalesce(sum{_SIZE}, 0) FROM reject)")  # noqa: S608

    @property
    def db(self) -> sqlite3.Connection:
        """The connection, for other tables of the file."""
        return self._db

    @staticmethod
    def open(path: Path) -> Rejects:
        """A file of its own."""
        return Rejects(connect(path, Schema("reject", SCHEMA, VERSION, {1: ""})))

    def add(self, rows: Iterable[RejectedMessage | tuple[int, str, bytes, str]]) -> None:
        """Keep messages; beyond the limit in bytes the oldest of the sender that holds most are dropped."""
        kept = [_shortened(RejectedMessage(*row)) for row in rows]
        if not kept:
            return
        with transaction(self._db) as db:
            grown: Counter[str] = Counter()
            for row in kept:
                if db.execute(_INSERT, row).rowcount:
                    grown[row.sender] += _size(row)
            for sender, size in grown.items():
                db.execute(_GROW, (sender, size))
            db.execute("UPDATE reject_total SET bytes = bytes + ?", (grown.total(),))
            while self.bytes() > self._max_bytes and self._drop_of_largest():
                pass

    def _drop_of_largest(self) -> bool:
        """Drop the oldest messages, up to 100, of the sender that holds most; whether there were any."""
        largest = self._db.execute("SELECT sender FROM reject_sender ORDER BY bytes DESC LIMIT 1").fetchone()
        if largest is None:
            return False
        ids = self._db.execute("SELECT id FROM reject WHERE sender = ? ORDER BY id LIMIT 100", largest).fetchall()
        self._db.execute("UPDATE reject_total SET dropped = dropped + ?", (len(ids),))
        self._remove([i for (i,) in ids])
        if len(ids) < 100:
            self._db.execute("DELETE FROM reject_sender WHERE sender = ?", largest)
        return bool(ids)

    def _remove(self, ids: Sequence[int]) -> None:
        which = (json.dumps(list(ids)),)
        chosen = "id IN (SELECT value FROM json_each(?))"
        sizes = self._db.execute(
            f"SELECT sender, sum{_SIZE} FROM reject WHERE {chosen} GROUP BY sender",  # noqa: S608 - fixed text
            which,
        ).fetchall()
        self._db.execute(f"DELETE FROM reject WHERE {chosen}", which)  # noqa: S608 - fixed text
        self._db.executemany("UPDATE reject_sender SET bytes = bytes - ? WHERE sender = ?", [(n, s) for s, n in sizes])
        self._db.execute("UPDATE reject_total SET bytes = bytes - ?", (sum(n for _, n in sizes),))

    def bytes(self) -> int:
        """What the kept messages take of the file."""
        return int(self._db.execute("SELECT bytes FROM reject_total").fetchone()[0])

    def mark_underived(self, cities: Iterable[str]) -> None:
        """Save that windows of these cities are being stored and their KPIs are not derived yet."""
        with transaction(self._db) as db:
            db.executemany("INSERT OR IGNORE INTO underived VALUES (?)", [(city,) for city in cities])

    def clear_underived(self) -> None:
        """All KPIs are derived."""
        with transaction(self._db) as db:
            db.execute("DELETE FROM underived")

    def underived(self) -> list[str]:
        """Cities whose KPIs may be older than the stored windows: the program ended between storing and deriving."""
        return [city for (city,) in self._db.execute("SELECT city FROM underived")]

    def newest(self, limit: int = 1000) -> list[Reject]:
        """The newest kept messages, newest first."""
        sql = "SELECT id, at, topic, payload, reason, number FROM reject ORDER BY id DESC LIMIT ?"
        return [Reject(*row) for row in self._db.execute(sql, (limit,))]

    def count(self) -> int:
        """How many messages are kept."""
        return int(self._db.execute("SELECT count(*) FROM reject").fetchone()[0])

    def dropped(self) -> int:
        """How many were dropped because of the limit."""
        return int(self._db.execute("SELECT dropped FROM reject_total").fetchone()[0])

    def delete(self, ids: Sequence[int]) -> None:
        """Delete messages that were replayed."""
        with transaction(self._db):
            self._remove(ids)


_INSERT = "INSERT OR IGNORE INTO reject (at, topic, payload, reason, number, sender, digest) VALUES (?,?,?,?,?,?,?)"
_GROW = "INSERT INTO reject_sender VALUES (?,?) ON CONFLICT DO UPDATE SET bytes = bytes + excluded.bytes"


def _shortened(row: RejectedMessage) -> RejectedMessage:
    """With topic and reason cut to what is kept of them."""
    return row._replace(topic=row.topic[:_LONGEST_TOPIC], reason=row.reason[:_LONGEST_REASON])


def _size(row: RejectedMessage) -> int:
    return len(row.payload) + len(row.topic.encode()) + len(row.reason.encode()) + len(row.sender) + _ROW
