"""Rows that go in several to a statement leave what they leave one by one, whatever their number."""

from __future__ import annotations

import random
import sqlite3
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from adapters.columns import BUCKET
from adapters.sqlite.several import UPSERT, Several, insert_readings
from adapters.sqlite.store import SqliteStore
from adapters.store import Level
from telemetry.partials import Partials, fold
from telemetry.readings import Readings
from telemetry.series import Series, SeriesTable
from telemetry.windows import DAY, MINUTE

TABLE = "CREATE TABLE t (a INTEGER, b INTEGER, v REAL, PRIMARY KEY (a, b)) WITHOUT ROWID"
CLAUSE = "ON CONFLICT DO UPDATE SET v = excluded.v WHERE v <> excluded.v"


def left(insert: str, rows: list[tuple[int, int, float]]) -> tuple[list[tuple[int, int, float]], int]:
    """What a table holds after the rows came in two halves, and how many changes they made."""
    db = sqlite3.connect(":memory:")
    db.execute(TABLE)
    half = len(rows) // 2
    for part in (rows[:half], rows[half:]):
        if insert == "several":
            Several("t", range(3), CLAUSE).insert(db, list(zip(*part, strict=True)) or [[], [], []])
        else:
            db.executemany(f"INSERT INTO t VALUES (?,?,?) {CLAUSE}", part)
    return db.execute("SELECT * FROM t").fetchall(), db.total_changes


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 15, 16, 17, 63, 64, 81, 1000])
def test_several_together_are_the_same_as_each_alone(count: int) -> None:
    rng = random.Random(count)
    rows = [(rng.randrange(5), rng.randrange(count // 5 + 2), float(rng.randrange(3))) for _ in range(count)]
    assert left("several", rows) == left("alone", rows)


@pytest.mark.parametrize("count", [1, 16, 17, 50, 81])
def test_a_value_that_several_columns_have_is_given_once(count: int) -> None:
    db = sqlite3.connect(":memory:")
    db.execute("CREATE TABLE t (a INTEGER, b INTEGER, c REAL, d INTEGER)")
    Several("t", (0, "7", 1, 0)).insert(db, [range(count), [n / 2 for n in range(count)]])
    assert db.execute("SELECT * FROM t").fetchall() == [(n, 7, n / 2, n) for n in range(count)]


def test_what_follows_from_given_values_is_calculated() -> None:
    db = sqlite3.connect(":memory:")
    db.execute("CREATE TABLE t (a INTEGER, b INTEGER, c REAL, d REAL)")
    Several("t", (0, "{0} / 10", 1, "{1} * {1}")).insert(db, [range(100), [n / 3 for n in range(100)]])
    assert db.execute("SELECT * FROM t").fetchall() == [(n, n // 10, n / 3, (n / 3) * (n / 3)) for n in range(100)]


@pytest.mark.parametrize("seed", range(12))
def test_readings_of_every_kind_leave_what_they_leave_one_by_one(seed: int) -> None:
    """With and without keys, flags and times of arrival; of one identity the last holds, equal ones do not count."""
    draw, db, alone = np.random.default_rng(seed), _readings(), _readings()
    for _ in range(4):
        size = int(draw.integers(1, 60))
        t = np.sort(draw.integers(0, 20, size))
        key = draw.integers(0, 3, size) * int(draw.integers(0, 2))
        flag = draw.integers(0, 2, size) * int(draw.integers(0, 2))
        arrival = t + int(draw.integers(0, 2))
        columns = t // 10, draw.integers(0, 3, size), t, key, draw.integers(0, 3, size) / 2, arrival, flag
        insert_readings(db, columns, np.arange(size))
        for row in zip(*(column.tolist() for column in columns), strict=True):
            alone.execute(f"INSERT INTO reading VALUES (?,?,?,?,?,?,?) {UPSERT}", row)
        assert db.execute("SELECT * FROM reading").fetchall() == alone.execute("SELECT * FROM reading").fetchall()
        assert db.total_changes == alone.total_changes


def _readings() -> sqlite3.Connection:
    db = sqlite3.connect(":memory:")
    db.execute(
        "CREATE TABLE reading (window INTEGER, series INTEGER, t INTEGER, key INTEGER, value REAL, arrival INTEGER,"
        " flag INTEGER, PRIMARY KEY (window, series, t, key)) WITHOUT ROWID"
    )
    return db


@pytest.mark.parametrize("level", ["window", "hour"])
@pytest.mark.parametrize("seed", range(12))
def test_partials_of_every_shape_are_read_back_bit_for_bit(level: Level, seed: int, tmp_path: Path) -> None:
    """Recorded ones, of one reading and of several, gauges and counters, too large to be squared, and before 1970."""
    draw, store = np.random.default_rng(seed), SqliteStore(tmp_path / "store.db")
    table = SeriesTable([Series("aba", f"d{n}", q) for n in range(4) for q in ("no2", "energy_total")])
    size = int(draw.integers(1, 400))
    lag = draw.integers(0, 2, size) if draw.random() < 0.5 else np.zeros(size, dtype=np.int64)
    t = draw.integers(-3 if draw.random() < 0.5 else 0, 1000, size) * (DAY // 7 // MINUTE * MINUTE)
    value = np.where(draw.random(size) < 0.05, 1e200, draw.integers(-3, 300, size) / 10)
    late = draw.integers(0, 2, size) * int(draw.integers(0, 2))
    readings = Readings.of(draw.integers(0, len(table), size), t + late, value)
    readings = replace(readings, arrival=readings.t + lag)
    written = fold(readings, MINUTE, table.modulus(readings.series))
    store.put_partials(level, written, table)
    found = Partials.concat(list(store.partials("aba", level, -(1 << 50), 1 << 50, table))).latest()
    for name in Partials.__slots__:
        assert getattr(found, name).tobytes() == getattr(written, name).tobytes(), name
    raw = store._db.execute(f'SELECT bucket, start FROM "{level}"').fetchall()
    assert all(bucket == start // BUCKET[level] for bucket, start in raw)
