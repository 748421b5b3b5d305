"""Stored messages that a broker may redeliver: a table in the gateway's buffer."""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from adapters.sqlite.connection import rows, transaction

SCHEMA = """
CREATE TABLE IF NOT EXISTS delivered (
  number INTEGER PRIMARY KEY, session INTEGER NOT NULL, digests BLOB NOT NULL, readings BLOB NOT NULL
);
"""
_DIGEST = 8  # bytes


class Kept(NamedTuple):
    """The messages of one session in one batch. `number`: of the last one among all that were received. `session`: 64
    bits of its name. `found`: the number of readings of each message, by an 8-byte digest of it and its identifier.
    """

    number: int
    session: int
    found: dict[bytes, int]


class Deliveries:
    """The table."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        if rows(db, "SELECT 1 FROM sqlite_master WHERE name = 'delivery'"):
            self._upgrade()

    def _upgrade(self) -> None:
        """Files of 2026-11-28 and before have a row for each message."""
        with transaction(self._db) as db:
            for number, session, digest, readings in rows(db, "SELECT * FROM delivery"):
                found = {digest.to_bytes(_DIGEST, "big", signed=True): readings}
                db.execute("INSERT OR IGNORE INTO delivered VALUES (?,?,?,?)", _row(Kept(number, session, found)))
            db.execute("DROP TABLE delivery")

    def all(self) -> list[Kept]:
        """All rows, in the order of their numbers."""
        return [_kept(*row) for row in rows(self._db, "SELECT * FROM delivered ORDER BY number")]

    def save(self, new: Iterable[Kept], before: int | None, ended: Sequence[int]) -> None:
        """Add `new`; remove those numbered below `before`, and those whose numbers are in `ended`."""
        with transaction(self._db) as db:
            db.executemany("INSERT INTO delivered VALUES (?,?,?,?)", map(_row, new))
            if before is not None:
                db.execute("DELETE FROM delivered WHERE number < ?", (before,))
            if ended:
                db.executemany("DELETE FROM delivered WHERE number = ?", ((number,) for number in ended))


def _row(kept: Kept) -> tuple[int, int, bytes, bytes]:
    return kept.number, kept.session, b"".join(kept.found), array("I", kept.found.values()).tobytes()


def _kept(number: int, session: int, digests: bytes, readings: bytes) -> Kept:
    names = (digests[n : n + _DIGEST] for n in range(0, len(digests), _DIGEST))
    return Kept(number, session, dict(zip(names, array("I", readings), strict=True)))
