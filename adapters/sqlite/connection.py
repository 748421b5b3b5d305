"""SQLite as the gateway's buffer and the embedded store use it.

WAL, synchronous=FULL: a commit is on disk when it returns. One connection, one thread. A file may hold the tables of
several parts (a replay stores its readings in the store's file); each part has a schema version of its own.
"""

from __future__ import annotations

import logging
import os
import re
import sqlite3
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple

from adapters.columns import transposed
from telemetry.errors import Unavailable, UsageError, cause

log = logging.getLogger(__name__)

_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


_ADDED_COLUMN = re.compile(r"ALTER TABLE (?P<table>\w+) ADD COLUMN (?P<column>\w+)[^;]*;")


class Schema(NamedTuple):
    """The tables of one part. `table`: one of them; `upgrades[n]`: SQL that brings version n to n + 1."""

    table: str
    sql: str
    version: int = 1
    upgrades: dict[int, str] = {}  # noqa: RUF012 - never changed


class Damaged(Unavailable):
    """The file is damaged; a retry does not help."""


class Moved(Unavailable):
    """The file has been renamed, deleted or replaced under the running program."""


class WatchedConnection(sqlite3.Connection):
    """A connection that records which file it opened: SQLite itself would go on writing to a renamed file."""

    path: Path | None = None
    inode = 0
    rolled_back = 0  # transactions, so that what was noted in memory during one can be dropped

    def watch(self, path: Path) -> None:
        """From now on the file at `path` is the one that is open."""
        if path.name != ":memory:":
            self.path, self.inode = path, path.stat().st_ino

    def check(self) -> None:
        """Raise Moved where another file, or none, has the name under which this one was opened."""
        if self.path is None:
            return
        try:
            same = os.stat(self.path).st_ino == self.inode  # noqa: PTH116 - at every commit, and three times as fast
        except OSError:
            same = False
        if not same:
            raise Moved(f"{self.path} was moved or replaced while it was open; put it back, or restart the program")


def _private(path: Path) -> None:
    """Make the file, if there is none, for its owner alone: it holds readings, and who charged as hashes."""
    if path.name != ":memory:" and not path.exists():
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))


def connect(path: Path, schema: Schema) -> WatchedConnection:
    """Open (or create) the database and its tables, upgraded to this program's version of them.

    Raises UsageError for a file of a newer schema, Damaged for a broken one, Unavailable where it cannot be opened.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _private(path)
        db = sqlite3.connect(
            path, isolation_level=None, timeout=10.0, check_same_thread=False, factory=WatchedConnection
        )
        db.watch(path)
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        db.execute("PRAGMA cache_size=-8000")
        db.execute("PRAGMA wal_autocheckpoint=8000")  # fewer, larger checkpoints: a third less disk traffic
        _upgrade(db, path, schema)
        db.executescript(schema.sql)
    except (sqlite3.Error, OSError) as error:
        raise problem(
            f"{path} cannot be opened: {cause(error)}. Check the path, its permissions and the disk.", error
        ) from error
    return db


def _upgrade(db: sqlite3.Connection, path: Path, schema: Schema) -> None:
    """Upgrade the part's tables to the program's version in one transaction, and save the version."""
    db.execute("CREATE TABLE IF NOT EXISTS schema_version (part TEXT PRIMARY KEY, version INTEGER NOT NULL)")
    found = _version(db, schema)
    if found > schema.version:
        raise UsageError(
            f"{path} has version {found} of the tables for '{schema.table}'; this program supports {schema.version}. "
            "Use the program that wrote it, or a newer one."
        )
    if found == schema.version:
        return
    numbers = range(found, schema.version) if found else ()
    steps = "".join(_without_columns_there(db, schema.upgrades[number]) for number in numbers)
    if steps:
        log.info("%s: upgrading '%s' from version %d to %d", path, schema.table, found, schema.version)
    note = f"INSERT OR REPLACE INTO schema_version VALUES ('{schema.table}', {schema.version});"  # noqa: S608
    try:
        db.executescript(f"BEGIN IMMEDIATE;{steps}{note}COMMIT;")
    except sqlite3.Error:
        _roll_back(db)
        raise


def _without_columns_there(db: sqlite3.Connection, steps: str) -> str:
    """The steps without those that add a column which the file has already.

    Programs between two versions created tables with columns of the next one under the number of the one before.
    """

    def kept(step: re.Match[str]) -> str:
        there = db.execute("SELECT 1 FROM pragma_table_info(?) WHERE name=?", (step["table"], step["column"]))
        return "" if there.fetchone() else step[0]

    return _ADDED_COLUMN.sub(kept, steps)


def _version(db: sqlite3.Connection, schema: Schema) -> int:
    """The version of the part's tables in the file; 0 where it has none.

    Files without this table have version 1.
    """
    row = db.execute("SELECT version FROM schema_version WHERE part=?", (schema.table,)).fetchone()
    if row:
        return int(row[0])
    exists = db.execute("SELECT 1 FROM sqlite_master WHERE type='table' AND name=?", (schema.table,)).fetchone()
    return 1 if exists else 0


def rows(db: sqlite3.Connection, sql: str, values: Sequence[Any] = ()) -> list[Any]:
    """All rows of a query. Raises Unavailable or Damaged."""
    try:
        return db.execute(sql, values).fetchall()
    except sqlite3.Error as error:
        raise problem(f"The database cannot be read: {error}.", error) from error


def read_columns(db: sqlite3.Connection, width: int, sql: str, values: Sequence[Any] = ()) -> list[list[Any]]:
    """All rows of a query, each of `width` values, as columns. Raises Unavailable or Damaged."""
    try:
        return transposed(db.execute(sql, values), width)
    except sqlite3.Error as error:
        raise problem(f"The database cannot be read: {error}.", error) from error


def problem(sentence: str, error: BaseException) -> Unavailable:
    """The error to raise for a fault of file or disk: Damaged where the file itself is broken."""
    code = getattr(error, "sqlite_errorcode", None)
    damaged = code is not None and code & 0xFF in _DAMAGE
    return Damaged(sentence) if damaged else Unavailable(sentence)


def transaction(db: sqlite3.Connection) -> AbstractContextManager[sqlite3.Connection]:
    """All or nothing; nested use joins the outer transaction. A fault of the file or disk becomes Unavailable."""
    return nullcontext(db) if db.in_transaction else _Outermost(db)


class _Outermost:
    """A transaction that is not within another one. A class: a generator takes eight times as long, at each commit."""

    __slots__ = ("_db",)

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def __enter__(self) -> sqlite3.Connection:
        if isinstance(self._db, WatchedConnection):
            self._db.check()
        self._execute("BEGIN IMMEDIATE")
        return self._db

    def __exit__(self, _kind: type[BaseException] | None, error: BaseException | None, _trace: object) -> None:
        self._execute("COMMIT", error)

    def _execute(self, statement: str, failed: BaseException | None = None) -> None:
        """Execute it, unless the transaction has `failed`; roll back and raise where either is so."""
        try:
            if failed is not None:
                raise failed
            self._db.execute(statement)
        except sqlite3.Error as error:
            _roll_back(self._db)
            raise problem(f"The database cannot be written: {error}.", error) from error
        except BaseException:
            _roll_back(self._db)
            raise


def _roll_back(db: sqlite3.Connection) -> None:
    if isinstance(db, WatchedConnection):
        db.rolled_back += 1
    if db.in_transaction:
        try:
            db.execute("ROLLBACK")
        except sqlite3.Error as error:  # SQLite has rolled back already
            log.debug("rollback: %s", error)


def set_aside(path: Path, stamp: str) -> Path:
    """Rename a damaged database and its WAL, so that a new one can be created; returns the new name."""
    renamed = path.with_name(f"{path.name}.damaged-{stamp}")
    for suffix in ("", "-wal", "-shm"):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(renamed.with_name(renamed.name + suffix))
    return renamed
