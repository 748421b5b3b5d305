"""The loss ledger on disk: per device and boot, which record numbers have arrived. A table in the gateway's buffer."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import NamedTuple

from adapters.sqlite.connection import rows, transaction

SCHEMA = """
CREATE TABLE IF NOT EXISTS ledger (
  city TEXT NOT NULL, device TEXT NOT NULL, boot INTEGER NOT NULL, start INTEGER NOT NULL, seen TEXT NOT NULL,
  received INTEGER NOT NULL, duplicate INTEGER NOT NULL, refused INTEGER NOT NULL, recovered INTEGER NOT NULL,
  missing INTEGER NOT NULL, given_up INTEGER NOT NULL, changed INTEGER NOT NULL,
  sent INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (city, device, boot)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS ledger_missing ON ledger (city, device) WHERE missing > 0;
DROP INDEX IF EXISTS ledger_changed;
CREATE TABLE IF NOT EXISTS undated (
  city TEXT NOT NULL, device TEXT NOT NULL, boot INTEGER NOT NULL, seqs TEXT NOT NULL,
  PRIMARY KEY (city, device, boot)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS asked (
  city TEXT NOT NULL, device TEXT NOT NULL, boot INTEGER NOT NULL, times INTEGER NOT NULL, due INTEGER NOT NULL,
  PRIMARY KEY (city, device, boot)
) WITHOUT ROWID;
"""
FOLDED = -1  # stands for the boot in the row that adds up the boots which are not kept in detail

_TOTALS = (
    "SELECT city, device, sum(received), sum(duplicate), sum(refused), sum(recovered), sum(missing), sum(sent)"
    " FROM ledger"
)


_FOLDED = (
    "SELECT sum(received), sum(duplicate), sum(refused), sum(recovered), sum(missing), sum(missing), max(changed),"
    " sum(sent) FROM ledger"
)


class Entry(NamedTuple):
    """A row: `start`: the first record number expected; `seen`: as `Ranges` text; `changed`: ms UTC.

    `sent`: how many records the device has numbered, from the largest number alone, as a check of the counts.

    `missing` counts all gaps, including those that are `given_up` because there were too many to store.
    """

    city: str
    device: str
    boot: int
    start: int
    seen: str
    received: int
    duplicate: int
    refused: int
    recovered: int
    missing: int
    given_up: int
    changed: int
    sent: int


_PUT = f"INSERT OR REPLACE INTO ledger VALUES ({','.join('?' * len(Entry._fields))})"  # noqa: S608 - fixed text


class Asked(NamedTuple):
    """How often a device was asked for what is missing of a boot, and when it is next (ms)."""

    city: str
    device: str
    boot: int
    times: int
    due: int


class Totals(NamedTuple):
    """A device's records over all its boots."""

    city: str
    device: str
    received: int
    duplicate: int
    refused: int
    recovered: int
    missing: int
    sent: int


class LedgerTable:
    """The rows of one buffer file."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def get(self, city: str, device: str, boot: int) -> Entry | None:
        """One row."""
        sql = "SELECT * FROM ledger WHERE city=? AND device=? AND boot=?"
        found = rows(self._db, sql, (city, device, boot))
        return Entry(*found[0]) if found else None

    def boots(self, city: str, device: str) -> list[int]:
        """The boots of a device that are kept in detail, and FOLDED where there were more."""
        return [boot for (boot,) in rows(self._db, "SELECT boot FROM ledger WHERE city=? AND device=?", (city, device))]

    def fold(self, city: str, device: str, keep: int) -> list[int]:
        """Add up all but the `keep` boots that changed last in one row; the boots that are gone. In a transaction."""
        mine = "city=? AND device=?"
        sql = f"SELECT boot FROM ledger WHERE {mine} AND boot >= 0 ORDER BY changed DESC, boot DESC"  # noqa: S608
        gone = [boot for (boot,) in rows(self._db, sql, (city, device))][keep:]
        if gone:
            chosen = f"{mine} AND boot IN ({','.join(map(str, [FOLDED, *gone]))})"
            [totals] = rows(self._db, f"{_FOLDED} WHERE {chosen}", (city, device))
            for table in ("ledger", "undated", "asked"):
                self._db.execute(f"DELETE FROM {table} WHERE {chosen}", (city, device))  # noqa: S608 - numbers
            self.put([Entry(city, device, FOLDED, 0, "", *totals)])
        return gone

    def note_asked(self, found: Iterable[Asked]) -> None:
        """Keep what was asked for; within a transaction of its own."""
        with transaction(self._db) as db:
            db.executemany("INSERT OR REPLACE INTO asked VALUES (?,?,?,?,?)", found)

    def asked(self) -> list[Asked]:
        """What devices were asked for."""
        return [Asked(*row) for row in rows(self._db, "SELECT * FROM asked")]

    def put(self, entries: Iterable[Entry]) -> None:
        """Write rows, within the caller's transaction."""
        self._db.executemany(_PUT, entries)

    def undated(self) -> dict[tuple[str, str, int], str]:
        """Per (city, device, boot) the records, as `Ranges` text, whose time was estimated from their arrival."""
        return {row[:3]: row[3] for row in rows(self._db, "SELECT city, device, boot, seqs FROM undated")}

    def put_undated(self, found: Iterable[tuple[str, str, int, str]]) -> None:
        """Write rows of `undated`, within the caller's transaction."""
        self._db.executemany("INSERT OR REPLACE INTO undated VALUES (?,?,?,?)", found)

    def drop_undated(self, before: int) -> None:
        """Delete the rows of `undated` of boots in which nothing changed since then (ms UTC)."""
        old = "SELECT 1 FROM ledger l WHERE (l.city, l.device, l.boot) = (u.city, u.device, u.boot) AND l.changed < ?"
        with transaction(self._db) as db:
            db.execute(f"DELETE FROM undated AS u WHERE EXISTS ({old})", (before,))  # noqa: S608 - fixed text

    def with_gaps(self) -> list[Entry]:
        """The rows in which records are missing."""
        return [Entry(*row) for row in rows(self._db, "SELECT * FROM ledger WHERE missing > 0 AND boot >= 0")]

    def totals_of(self, city: str, device: str) -> list[Totals]:
        """Totals of one device; empty where it has sent no numbered records."""
        sql = f"{_TOTALS} WHERE city=? AND device=? GROUP BY city, device"
        return [Totals(*row) for row in rows(self._db, sql, (city, device))]

    def totals(self, changed_since: int = 0) -> list[Totals]:
        """Totals of devices with a change since then (ms UTC)."""
        changed = "SELECT city, device FROM ledger WHERE changed >= ?"
        sql = f"{_TOTALS} WHERE (city, device) IN ({changed}) GROUP BY city, device"
        return [Totals(*row) for row in rows(self._db, sql, (changed_since,))]
