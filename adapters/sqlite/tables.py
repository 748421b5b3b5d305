"""The tables of the embedded store. Columns of partials and KPI values follow from their types."""

from __future__ import annotations

import sqlite3

from adapters.columns import KPI_COLUMNS, PARTIAL_COLUMNS
from adapters.sqlite.connection import Schema
from adapters.sqlite.kept import TABLES as KEPT
from adapters.sqlite.states import TABLES as STATES
from telemetry.kpi_row import FIELDS, IDENTITY, Field
from telemetry.partials import is_whole

_SQL = {int: "INTEGER", float: "REAL", str: "TEXT"}


def _kpi_column(field: Field) -> str:
    default = "" if field.default is None else f" DEFAULT {field.default!r}"
    return f'"{field.name}" {_SQL[field.type]}' + ("" if field.nullable else f" NOT NULL{default}")


def _partials(level: str) -> str:
    columns = ",".join(f"{name} INTEGER NOT NULL" if is_whole(name) else f"{name} REAL" for name in PARTIAL_COLUMNS)
    return f"""
CREATE TABLE IF NOT EXISTS "{level}" (
  bucket INTEGER NOT NULL, series INTEGER NOT NULL, start INTEGER NOT NULL, {columns},
  PRIMARY KEY (bucket, series, start)
) WITHOUT ROWID;
"""


_BY_NAME = {field.name: field for field in FIELDS}
# The order in which values changed: numbers are given in the transaction that stores the values.
_CHANGES = """
CREATE TABLE IF NOT EXISTS kpi_change (
  number INTEGER PRIMARY KEY AUTOINCREMENT, city TEXT NOT NULL, code TEXT NOT NULL, part TEXT NOT NULL,
  kind TEXT NOT NULL, time INTEGER NOT NULL, UNIQUE (city, code, part, kind, time)
);
CREATE INDEX IF NOT EXISTS kpi_change_order ON kpi_change (city, number);
CREATE INDEX IF NOT EXISTS kpi_change_kind ON kpi_change (city, kind, number);
"""
_TABLES = f"""
CREATE TABLE IF NOT EXISTS city (id TEXT PRIMARY KEY, config TEXT NOT NULL, width INTEGER NOT NULL,
  reads TEXT NOT NULL DEFAULT '{{}}');
CREATE TABLE IF NOT EXISTS series (
  id INTEGER PRIMARY KEY, city TEXT NOT NULL, device TEXT NOT NULL, quantity TEXT NOT NULL,
  UNIQUE (city, device, quantity)
);
CREATE TABLE IF NOT EXISTS heartbeat (role TEXT NOT NULL, name TEXT NOT NULL, time INTEGER NOT NULL,
  PRIMARY KEY (role, name)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS figure_log (city TEXT NOT NULL, figure TEXT NOT NULL, time INTEGER NOT NULL,
  text TEXT NOT NULL, PRIMARY KEY (city, figure, time)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS kpi (
  {", ".join(_kpi_column(_BY_NAME[name]) for name in KPI_COLUMNS)},
  PRIMARY KEY ({", ".join(IDENTITY)})
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS kpi_updated ON kpi (city, updated);
CREATE INDEX IF NOT EXISTS kpi_time ON kpi (city, kind, time);
"""
_UPGRADES = {
    1: "ALTER TABLE kpi ADD COLUMN reason TEXT NOT NULL DEFAULT '';",
    2: _CHANGES
    + """
INSERT OR IGNORE INTO kpi_change (city, code, part, kind, time)
SELECT city, code, part, kind, time FROM kpi ORDER BY updated, city, code, part, kind, time;
""",
    3: "ALTER TABLE city ADD COLUMN reads TEXT NOT NULL DEFAULT '{}';",
    4: "",  # tables of checkpoints; a program that does not number its writes of hours must not open the file
    5: "",  # from when on partials are kept; a program that takes older ones would make hours of a few late windows
    6: "",  # first and last time of partials; a program that does not note it must not write them
}
SCHEMA = Schema("kpi", _TABLES + _CHANGES + _partials("window") + _partials("hour") + STATES + KEPT, 7, _UPGRADES)


def add_new_columns(db: sqlite3.Connection) -> None:
    """Give a file from before a field of `KpiValue` was there its column; old rows get the field's default."""
    there = {row[1] for row in db.execute("PRAGMA table_info(kpi)")}
    for field in FIELDS:
        if field.name not in there:
            db.execute(f"ALTER TABLE kpi ADD COLUMN {_kpi_column(field)}")
