"""Charging transactions that are open: what a station reported at their start and end, until both are known.

A file of its own beside the gateway's buffer, used by the thread of the OCPP door only. What is written is on disk on
return. Ids of users never reach it. Of each station the transactions that it began last are kept, open or not: a
message about an older one is as one about a transaction of another central system.
"""

from __future__ import annotations

import os
import sqlite3
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from telemetry.errors import Unavailable

_FIELDS = ("connector", "start", "start_wh", "stop", "stop_wh")
OF_ONE = 5_000  # transactions of a station
OF_ALL = 500_000  # of all; matters only where stations that are not listed may connect


class Transaction(NamedTuple):
    """One transaction of a station. Times as the station wrote them, registers in Wh; None: not reported yet."""

    connector: int | None = None
    start: str | None = None
    start_wh: float | None = None
    stop: str | None = None
    stop_wh: float | None = None


class Transactions:
    """The table. Raises Unavailable where the disk does not take it."""

    def __init__(self, path: Path) -> None:
        try:
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
            self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.execute(
                "CREATE TABLE IF NOT EXISTS transactions (station TEXT, id TEXT, connector INTEGER, start TEXT,"
                " start_wh REAL, stop TEXT, stop_wh REAL, PRIMARY KEY (station, id)) WITHOUT ROWID"
            )
            if not self._db.execute("SELECT 1 FROM pragma_table_info('transactions') WHERE name = 'n'").fetchone():
                self._db.execute("ALTER TABLE transactions ADD COLUMN n INTEGER NOT NULL DEFAULT 0")
            self._db.execute("CREATE INDEX IF NOT EXISTS of_station ON transactions (station, n)")
            self._db.execute("CREATE INDEX IF NOT EXISTS oldest ON transactions (n)")
            counts = self._db.execute("SELECT station, count(*), max(n) FROM transactions GROUP BY station").fetchall()
            self._count = Counter({station: count for station, count, _ in counts})
            self._next = max((n for *_, n in counts), default=0) + 1
        except (OSError, sqlite3.Error) as error:
            raise Unavailable(f"{path}: {error}") from error

    def note(self, station: str, identity: str, reported: Transaction) -> Transaction:
        """Add what was reported; earlier values stay. Returns all that is known."""
        before = self._find(station, identity)
        new, before = before is None, before or Transaction()
        whole = Transaction(
            connector=reported.connector if before.connector is None else before.connector,
            start=before.start or reported.start,
            start_wh=reported.start_wh if before.start_wh is None else before.start_wh,
            stop=reported.stop or before.stop,
            stop_wh=before.stop_wh if reported.stop_wh is None else reported.stop_wh,
        )
        try:
            if new:
                self._add(station, identity, whole)
            else:
                marks = ", ".join(f"{field} = ?" for field in _FIELDS)
                self._db.execute(
                    f"UPDATE transactions SET {marks} WHERE station = ? AND id = ?",  # noqa: S608
                    (*whole, station, identity),
                )
        except sqlite3.Error as error:
            raise Unavailable(f"transactions: {error}") from error
        return whole

    def _add(self, station: str, identity: str, whole: Transaction) -> None:
        """Insert one, and delete the oldest beyond the bounds."""
        self._db.execute(
            "INSERT INTO transactions VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (station, identity, *whole, self._next)
        )
        self._next += 1
        self._count[station] += 1
        if self._count[station] > OF_ONE:
            self._drop("WHERE station = ? ORDER BY n LIMIT 1", (station,))
        elif self._count.total() > OF_ALL:
            self._drop("ORDER BY n LIMIT 1", ())

    def _drop(self, which: str, values: tuple[str, ...]) -> None:
        station, identity = self._db.execute(f"SELECT station, id FROM transactions {which}", values).fetchone()  # noqa: S608
        self._db.execute("DELETE FROM transactions WHERE station = ? AND id = ?", (station, identity))
        self._count[station] -= 1
        if not self._count[station]:
            del self._count[station]

    def get(self, station: str, identity: str) -> Transaction:
        """What is known of a transaction."""
        return self._find(station, identity) or Transaction()

    def _find(self, station: str, identity: str) -> Transaction | None:
        try:
            row = self._db.execute(
                f"SELECT {', '.join(_FIELDS)} FROM transactions WHERE station = ? AND id = ?",  # noqa: S608
                (station, identity),
            ).fetchone()
        except sqlite3.Error as error:
            raise Unavailable(f"transactions: {error}") from error
        return Transaction(*row) if row else None

    def close(self) -> None:
        """Close the file."""
        self._db.close()
