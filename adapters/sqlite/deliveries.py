"""Which messages of a broker are stored that it may deliver once more. A table in the gateway's buffer."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import NamedTuple

from adapters.sqlite.connection import rows, transaction

SCHEMA = """
CREATE TABLE IF NOT EXISTS delivery (
  number INTEGER PRIMARY KEY, session INTEGER NOT NULL, digest INTEGER NOT NULL, readings INTEGER NOT NULL
);
"""


class Kept(NamedTuple):
    """`number`: of the message among all that were received. `session`, `digest`: 64 bits of the session's name, and of
    the message with its packet identifier. `readings`: how many it brought.
    """

    number: int
    session: int
    digest: int
    readings: int


class Deliveries:
    """The table."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def all(self) -> list[Kept]:
        """In the order of their numbers."""
        return [Kept(*row) for row in rows(self._db, "SELECT * FROM delivery ORDER BY number")]

    def save(self, new: Iterable[Kept], before: int, ended: Iterable[tuple[int, int]]) -> None:
        """Add `new`; remove those numbered below `before`, and of each ended (session, number) those below it."""
        with transaction(self._db) as db:
            db.executemany("INSERT INTO delivery VALUES (?,?,?,?)", new)
            db.execute("DELETE FROM delivery WHERE number < ?", (before,))
            db.executemany("DELETE FROM delivery WHERE session = ? AND number < ?", ended)
