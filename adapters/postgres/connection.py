"""A connection to PostgreSQL that is made when it is needed, and made again after it broke."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

import psycopg

from adapters.postgres.tables import SCHEMA, VERSION
from adapters.secrets import SECTION, secret
from adapters.unsent import discard
from telemetry.errors import Unavailable, UsageError

log = logging.getLogger(__name__)

_CHUNK = 50_000
_LOCK = 0x6369747976  # "cityv": of those who make or upgrade the tables
_TIMEOUT_S = 10


class Target(NamedTuple):
    """Where the server is; `sslmode`: as in libpq."""

    host: str
    port: int
    database: str
    sslmode: str


def parse(url: str) -> Target:
    """The target of `postgresql://host:port/database?sslmode=verify-full`.

    Raises UsageError for anything else, and for credentials in the URL, which process lists and logs would show.
    """
    parts = urlsplit(url)
    if "@" in parts.netloc:
        raise UsageError(f"The store's URL contains credentials; set them as {SECTION}USERNAME and {SECTION}PASSWORD.")
    wrong = UsageError(f"'{url}' does not name a database; use postgresql://host:5432/database.")
    database = unquote(parts.path.strip("/"))
    name, _, mode = parts.query.partition("=")
    try:
        port = parts.port or 5432
    except ValueError as error:
        raise wrong from error
    if not parts.hostname or not database or "/" in database or name not in ("", "sslmode"):
        raise wrong
    return Target(parts.hostname, port, database, mode or "prefer")


class Connection:
    """Statements on one database. A fault of server or network raises Unavailable; the next use connects again."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._open: psycopg.Connection[Any] | None = None

    def _db(self) -> psycopg.Connection[Any]:
        if self._open is None or self._open.closed:
            t = self._target
            self._open = psycopg.connect(
                host=t.host, port=t.port, dbname=t.database, sslmode=t.sslmode, user=secret("USERNAME") or None,
                password=secret("PASSWORD") or None, autocommit=True, connect_timeout=_TIMEOUT_S,
                application_name="cityvitals", keepalives_idle=30,
            )  # fmt: skip
            discard(self._open.fileno(), True)
            _make_tables(self._open)
        return self._open

    @contextmanager
    def _guarded(self) -> Iterator[psycopg.Connection[Any]]:
        """The connection; faults that pass, or that an operator can repair, become Unavailable."""
        try:
            yield self._db()
        except psycopg.Error as error:
            why = "; ".join(filter(None, map(str.strip, str(error).splitlines())))
            text = f"PostgreSQL {self._target.host}:{self._target.port}/{self._target.database}: {why}"
            if isinstance(error, psycopg.ProgrammingError | psycopg.DataError) and error.sqlstate not in _ACCESS:
                raise
            raise Unavailable(text) from error

    @contextmanager
    def transaction(self) -> Iterator[psycopg.Cursor[Any]]:
        """All or nothing; what it wrote is on disk when it ends, as far as the server's `synchronous_commit` allows."""
        with self._guarded() as db, db.transaction(), db.cursor() as cursor:
            yield cursor

    def read(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        """All rows of a query."""
        with self._guarded() as db:
            return db.execute(sql, values).fetchall()

    def stream(self, sql: str, values: Sequence[Any]) -> Iterator[list[Any]]:
        """The rows of a query in pieces; a piece at a time is in memory."""
        with self._guarded() as db, db.transaction(), db.cursor("stream", binary=True) as cursor:
            cursor.itersize = _CHUNK
            cursor.execute(sql, values)
            while rows := cursor.fetchmany(_CHUNK):
                yield rows

    def close(self) -> None:
        """Close the connection."""
        if self._open is not None:
            if not self._open.closed:
                discard(self._open.fileno(), False)  # its last message, which ends the session, is to arrive
            self._open.close()


# Wrong password or role, no right, no such database: an operator repairs it while we wait.
_ACCESS = {"28P01", "28000", "42501", "3D000"}


def _make_tables(db: psycopg.Connection[Any]) -> None:
    """The tables of this program's version. Raises UsageError for those of a newer one."""
    with db.transaction():
        db.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        db.execute("CREATE TABLE IF NOT EXISTS schema_version (part text PRIMARY KEY, version integer NOT NULL)")
        row = db.execute("SELECT version FROM schema_version WHERE part = 'kpi'").fetchone()
        if row and row[0] > VERSION:
            raise UsageError(
                f"The database has version {row[0]} of the tables; this program supports {VERSION}. Use a newer one."
            )
        for statement in SCHEMA:
            db.execute(statement)
        db.execute(upsert("schema_version", ("part", "version"), ("part",)), ("kpi", VERSION))


def upsert(table: str, columns: Sequence[str], identity: Sequence[str]) -> str:
    """The statement that writes a row of these columns and replaces one of the same identity."""
    rest = [name for name in columns if name not in identity]
    sets = ", ".join(f'"{name}" = excluded."{name}"' for name in rest)
    names = ", ".join(f'"{name}"' for name in columns)
    does = f"UPDATE SET {sets}" if rest else "NOTHING"
    return (
        f'INSERT INTO "{table}" ({names}) VALUES ({", ".join(["%s"] * len(columns))})'  # noqa: S608 - fixed names
        f" ON CONFLICT ({', '.join(identity)}) DO {does}"
    )
