"""SQLite as both the gateway's buffer and the embedded store use it.

WAL, synchronous=FULL: a commit is on disk when it returns. One connection, one thread.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from telemetry.errors import Unavailable, UsageError


def connect(path: Path, schema: str, version: int) -> sqlite3.Connection:
    """Open (or create) the database and its tables.

    Raises UsageError for a file of another schema version, Unavailable where the file cannot be opened.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(path, isolation_level=None, timeout=10.0, check_same_thread=False)
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        db.execute("PRAGMA cache_size=-32000")
        found = db.execute("PRAGMA user_version").fetchone()[0]
        if found not in (0, version):
            raise UsageError(f"{path} has schema version {found}; this program needs {version}. Use another file.")
        db.executescript(schema)
        db.execute(f"PRAGMA user_version={version}")
    except (sqlite3.Error, OSError) as error:
        raise Unavailable(f"{path} cannot be opened: {error}. Check the path, its rights and the disk.") from error
    return db


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """All or nothing; nested use joins the outer transaction. A fault of the file or disk becomes Unavailable."""
    if db.in_transaction:
        yield db
        return
    try:
        db.execute("BEGIN IMMEDIATE")
        yield db
        db.execute("COMMIT")
    except sqlite3.Error as error:
        _roll_back(db)
        raise Unavailable(f"The database does not take the data: {error}.") from error
    except BaseException:
        _roll_back(db)
        raise


def _roll_back(db: sqlite3.Connection) -> None:
    if db.in_transaction:
        db.execute("ROLLBACK")
