"""Charging transactions that are open: what a station reported at their start and end, until both are known.

A file of its own beside the gateway's buffer, used by the thread of the OCPP door only. What is written is on disk on
return. Ids of users never reach it.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import NamedTuple

from telemetry.errors import Unavailable

_FIELDS = ("connector", "start", "start_wh", "stop", "stop_wh")


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
        except (OSError, sqlite3.Error) as error:
            raise Unavailable(f"{path}: {error}") from error

    def note(self, station: str, identity: str, reported: Transaction) -> Transaction:
        """Add what was reported; earlier values stay. Returns all that is known."""
        before = self.get(station, identity)
        whole = Transaction(
            connector=reported.connector if before.connector is None else before.connector,
            start=before.start or reported.start,
            start_wh=reported.start_wh if before.start_wh is None else before.start_wh,
            stop=reported.stop or before.stop,
            stop_wh=before.stop_wh if reported.stop_wh is None else reported.stop_wh,
        )
        try:
            self._db.execute(
                "INSERT OR REPLACE INTO transactions VALUES (?, ?, ?, ?, ?, ?, ?)", (station, identity, *whole)
            )
        except sqlite3.Error as error:
            raise Unavailable(f"transactions: {error}") from error
        return whole

    def get(self, station: str, identity: str) -> Transaction:
        """What is known of a transaction."""
        try:
            row = self._db.execute(
                f"SELECT {', '.join(_FIELDS)} FROM transactions WHERE station = ? AND id = ?",  # noqa: S608
                (station, identity),
            ).fetchone()
        except sqlite3.Error as error:
            raise Unavailable(f"transactions: {error}") from error
        return Transaction(*row) if row else Transaction()

    def close(self) -> None:
        """Close the file."""
        self._db.close()
