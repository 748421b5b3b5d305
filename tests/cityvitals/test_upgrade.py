"""Files of older versions are brought to this one; files of newer ones are left alone."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
import pytest

from adapters.sqlite.buffer import Buffer
from adapters.sqlite.connection import Schema, connect
from adapters.sqlite.store import SqliteStore
from adapters.store import CityRecord
from telemetry.errors import Unavailable, UsageError
from telemetry.readings import Readings
from telemetry.series import Series, SeriesTable
from telemetry.windows import MINUTE
from tests.adapters.stores.samples import partials

VERSION_1 = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL);
INSERT INTO meta VALUES ('width', 60000), ('gw_received', 7);
CREATE TABLE buffer_series (id INTEGER PRIMARY KEY, city TEXT NOT NULL, device TEXT NOT NULL, quantity TEXT NOT NULL,
  UNIQUE (city, device, quantity));
INSERT INTO buffer_series VALUES (0, 'aba', 's1', 'no2');
CREATE TABLE reading (
  window INTEGER NOT NULL, series INTEGER NOT NULL, t INTEGER NOT NULL, key INTEGER NOT NULL,
  value REAL NOT NULL, arrival INTEGER NOT NULL, flag INTEGER NOT NULL, PRIMARY KEY (window, series, t, key)
) WITHOUT ROWID;
CREATE TABLE dirty (window INTEGER NOT NULL, series INTEGER NOT NULL, generation INTEGER NOT NULL,
  PRIMARY KEY (window, series)) WITHOUT ROWID;
CREATE TRIGGER reading_new AFTER INSERT ON reading BEGIN
  INSERT INTO dirty VALUES (new.window, new.series, 1) ON CONFLICT DO UPDATE SET generation = generation + 1;
END;
CREATE TRIGGER reading_changed AFTER UPDATE ON reading BEGIN
  INSERT INTO dirty VALUES (new.window, new.series, 1) ON CONFLICT DO UPDATE SET generation = generation + 1;
END;
INSERT INTO reading VALUES (0, 0, 1000, 0, 4.5, 1000, 0);
PRAGMA user_version=1;
"""


def version_1(path: Path) -> Path:
    with sqlite3.connect(path) as db:
        db.executescript(VERSION_1)
    db.close()
    return path


def test_a_buffer_of_version_1_goes_on_with_what_it_had_to_send(tmp_path: Path) -> None:
    buffer = Buffer(version_1(tmp_path / "gateway.db"), MINUTE)
    assert buffer.counters() == {"gw_received": 7}
    dirty, readings = buffer.dirty(10)
    assert dirty.window.tolist() == [0]
    assert readings.value.tolist() == [4.5]
    buffer.put(Readings.of([buffer.table.id_of(Series("aba", "s1", "no2"))], [2000], [5.0]))
    assert buffer.dirty(10)[0].generation.tolist() == [2]


def test_a_buffer_of_version_4_goes_on_without_blocks_and_then_with_them(tmp_path: Path) -> None:
    """Until 2026-11-29 every reading was a row of its own."""
    path = tmp_path / "gateway.db"
    made = Buffer(path, MINUTE)
    series = made.table.id_of(Series("aba", "s1", "no2"))
    made.put(Readings.of([series], [1000], [4.5], [1 << 20]))
    made.db.executescript("DROP TABLE block; DROP TABLE block_series; UPDATE schema_version SET version = 4;")
    made.close()
    buffer = Buffer(path, MINUTE)
    assert buffer.db.execute("SELECT version FROM schema_version WHERE part = 'reading'").fetchone() == (5,)
    assert buffer.dirty(10)[1].value.tolist() == [4.5]
    buffer.put(Readings.of([series], [2000], [5.0], [2 << 20]), None, np.array([True]))
    assert buffer.dirty(10)[1].value.tolist() == [4.5, 5.0]
    assert (buffer.rows(), buffer.dirty(10)[0].generation.tolist()) == (2, [2])


def test_an_upgrade_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = version_1(tmp_path / "gateway.db")
    bad = Schema("reading", "", 3, {1: "ALTER TABLE dirty ADD COLUMN message INTEGER;", 2: "ALTER TABLE nothing;"})
    with pytest.raises(Unavailable):
        connect(path, bad)
    assert Buffer(path, MINUTE).backlog() == (1, 0)


def test_a_column_that_a_program_between_two_versions_made_is_not_added_again(tmp_path: Path) -> None:
    """Stores of November 2026 had `reads` in the table of cities, and version 3 of the tables."""
    path = tmp_path / "store.db"
    store = SqliteStore(path)
    store.put_city(CityRecord("aba", {}, MINUTE))
    store.close()
    with sqlite3.connect(path) as db:
        db.execute("UPDATE schema_version SET version = 3 WHERE part = 'kpi'")
    db.close()
    again = SqliteStore(path)
    assert [(c.id, c.width) for c in again.cities()] == [("aba", MINUTE)]
    again.close()
    with sqlite3.connect(path) as db:
        assert db.execute("SELECT version FROM schema_version WHERE part = 'kpi'").fetchone()[0] > 3
        columns = [row[1] for row in db.execute("PRAGMA table_info(city)")]
    db.close()
    assert columns.count("reads") == 1


def test_a_store_of_version_6_finds_the_time_of_what_it_has(tmp_path: Path) -> None:
    """Until 2026-11-29 the first and last time were searched for at every question."""
    path, table = tmp_path / "store.db", SeriesTable()
    store = SqliteStore(path)
    store.put_partials("hour", partials(table, ("d", 0, 1.0), ("d", 600, 1.0)), table)
    span = store.span("aba", "hour")
    store._db.executescript("DROP TABLE span; UPDATE schema_version SET version = 6 WHERE part = 'kpi';")
    store.close()
    again = SqliteStore(path)
    assert again.span("aba", "hour") == span
    more = partials(table, ("d", 300, 1.0), ("e", 660, 1.0))
    again.put_partials("hour", more, table)
    assert span
    assert again.span("aba", "hour") == (span[0], more.start.max())
    again.close()


def test_a_column_is_added_to_the_file_that_lacks_it_only(tmp_path: Path) -> None:
    steps = {1: "ALTER TABLE a ADD COLUMN x INTEGER NOT NULL DEFAULT 1; ALTER TABLE a ADD COLUMN y TEXT;"}
    for name, made in (("old", "CREATE TABLE a (id INTEGER)"), ("between", "CREATE TABLE a (id INTEGER, x INTEGER)")):
        path = tmp_path / f"{name}.db"
        with sqlite3.connect(path) as db:
            db.execute(made)
        db.close()
        opened = connect(path, Schema("a", "", 2, steps))
        assert [row[1] for row in opened.execute("PRAGMA table_info(a)")] == ["id", "x", "y"]
        opened.close()


def test_parts_that_share_a_file_have_versions_of_their_own(tmp_path: Path) -> None:
    path = version_1(tmp_path / "both.db")
    SqliteStore(path).close()
    Buffer(path, MINUTE).close()
    with sqlite3.connect(path) as db:
        found = dict(db.execute("SELECT part, version FROM schema_version").fetchall())
    db.close()
    assert found.keys() == {"kpi", "reading"}
    assert min(found.values()) > 1


def test_a_file_of_a_newer_program_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "gateway.db"
    Buffer(path, MINUTE).close()
    with sqlite3.connect(path) as db:
        db.execute("UPDATE schema_version SET version = 99")
    db.close()
    with pytest.raises(UsageError, match="version 99"):
        Buffer(path, MINUTE)
