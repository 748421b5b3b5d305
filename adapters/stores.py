"""Opening a store by its URL; the only module that imports every implementation."""

from __future__ import annotations

from pathlib import Path

from adapters.store import Store
from telemetry.errors import UsageError


def open_store(url: str) -> Store:
    """Open `sqlite:///path`, `influxdb://host:port/database` (1.x), `influxdb2://host:port/bucket?org=name`,
    `influxdb3://host:port/database`, or `postgresql://host:port/database`.

    Raises UsageError for another URL. Credentials are read from CITYVITALS__STORE__... in the environment.
    """
    scheme = url.partition(":")[0]
    if scheme == "sqlite":
        from adapters.sqlite.store import SqliteStore  # noqa: PLC0415 - a store loads only the libraries it needs

        return SqliteStore.from_url(url)
    if scheme.startswith(("influxdb", "http")):
        from adapters.influx.store import InfluxStore  # noqa: PLC0415

        return InfluxStore.from_url(url)
    if scheme in ("postgresql", "postgres"):
        from adapters.postgres.store import PostgresStore  # noqa: PLC0415

        return PostgresStore.from_url(url)
    raise UsageError(
        f"'{url}' is not a valid store URL; use sqlite:///path/to/file.db, influxdb://host:8086/database "
        "or postgresql://host:5432/database."
    )


def existing_store(url: str) -> Store:
    """The same for commands that only read: a missing file is an error, not a new store."""
    path = Path(url.removeprefix("sqlite:///"))
    if url.startswith("sqlite:///") and not path.is_file():
        raise UsageError(f"There is no store {path}. Check the path, or create one with `cityvitals replay`.")
    return open_store(url)
