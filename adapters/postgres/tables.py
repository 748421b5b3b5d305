"""The tables of the store in PostgreSQL. Columns of partials and KPI values follow from their types."""

from __future__ import annotations

from collections.abc import Iterator

from adapters.columns import KPI_COLUMNS, PARTIAL_COLUMNS
from telemetry.kpi_row import FIELDS, IDENTITY, Field
from telemetry.partials import is_whole

VERSION = 2  # 2 added the table `kept`: from when on partials are stored
_SQL = {int: "bigint", float: "double precision", str: "text"}
_BY_NAME = {field.name: field for field in FIELDS}


def _kpi_column(field: Field) -> str:
    default = "" if field.default is None else " DEFAULT " + repr(field.default)
    return f'"{field.name}" {_SQL[field.type]}' + ("" if field.nullable else f" NOT NULL{default}")


def _partials(level: str) -> Iterator[str]:
    columns = ", ".join(
        f'"{name}" bigint NOT NULL' if is_whole(name) else f'"{name}" double precision' for name in PARTIAL_COLUMNS
    )
    yield (
        f'CREATE TABLE IF NOT EXISTS "{level}" (start bigint NOT NULL, series integer NOT NULL, {columns},'
        " PRIMARY KEY (start, series))"
    )


def _schema() -> Iterator[str]:
    yield (
        "CREATE TABLE IF NOT EXISTS city (id text PRIMARY KEY, config text NOT NULL, width bigint NOT NULL,"
        " reads text NOT NULL)"
    )
    yield (
        "CREATE TABLE IF NOT EXISTS series (id serial PRIMARY KEY, city text NOT NULL, device text NOT NULL,"
        " quantity text NOT NULL, UNIQUE (city, device, quantity))"
    )
    yield (
        "CREATE TABLE IF NOT EXISTS heartbeat (role text NOT NULL, name text NOT NULL, time bigint NOT NULL,"
        " PRIMARY KEY (role, name))"
    )
    yield (
        "CREATE TABLE IF NOT EXISTS figure_log (city text NOT NULL, figure text NOT NULL, time bigint NOT NULL,"
        " text text NOT NULL, PRIMARY KEY (city, figure, time))"
    )
    yield from _partials("window")
    yield from _partials("hour")
    identity = ", ".join(IDENTITY)
    columns = ", ".join(_kpi_column(_BY_NAME[name]) for name in KPI_COLUMNS)
    yield f"CREATE TABLE IF NOT EXISTS kpi ({columns}, PRIMARY KEY ({identity}))"
    for name in KPI_COLUMNS:  # a field that is new since the table was made
        yield f"ALTER TABLE kpi ADD COLUMN IF NOT EXISTS {_kpi_column(_BY_NAME[name])}"
    yield "CREATE INDEX IF NOT EXISTS kpi_updated ON kpi (city, updated)"
    yield "CREATE INDEX IF NOT EXISTS kpi_time ON kpi (city, kind, time)"
    # The order in which values changed: numbers are given in the transaction that stores the values, under a lock.
    named = ", ".join(f'"{name}" {_SQL[_BY_NAME[name].type]} NOT NULL' for name in IDENTITY)
    yield f"CREATE TABLE IF NOT EXISTS kpi_change (number bigserial, {named}, PRIMARY KEY ({identity}))"
    yield "CREATE UNIQUE INDEX IF NOT EXISTS kpi_change_order ON kpi_change (city, number)"
    yield "CREATE INDEX IF NOT EXISTS kpi_change_kind ON kpi_change (city, kind, number)"
    # Checkpoints; `hours_written`: per UTC day the number of the last write of hours of that day.
    yield (
        "CREATE TABLE IF NOT EXISTS hours_written (city text NOT NULL, day bigint NOT NULL, number bigint NOT NULL,"
        " PRIMARY KEY (city, day))"
    )
    yield "CREATE INDEX IF NOT EXISTS hours_written_number ON hours_written (city, number)"
    yield (
        "CREATE TABLE IF NOT EXISTS kept (city text NOT NULL, level text NOT NULL, start bigint NOT NULL,"
        " deleted bigint NOT NULL, at bigint NOT NULL, PRIMARY KEY (city, level))"
    )
    yield "CREATE TABLE IF NOT EXISTS state (city text PRIMARY KEY, head bytea NOT NULL)"
    yield (
        "CREATE TABLE IF NOT EXISTS state_part (city text NOT NULL, name text NOT NULL, data bytea NOT NULL,"
        " PRIMARY KEY (city, name))"
    )


SCHEMA = tuple(_schema())
