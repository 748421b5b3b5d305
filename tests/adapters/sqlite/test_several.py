"""Rows that go in several to a statement leave what they leave one by one, whatever their number."""

from __future__ import annotations

import random
import sqlite3

import pytest

from adapters.sqlite.several import Several

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


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 15, 16, 17, 1000])
def test_several_together_are_the_same_as_each_alone(count: int) -> None:
    rng = random.Random(count)
    rows = [(rng.randrange(5), rng.randrange(count // 5 + 2), float(rng.randrange(3))) for _ in range(count)]
    assert left("several", rows) == left("alone", rows)


@pytest.mark.parametrize("count", [1, 16, 17, 50])
def test_a_value_that_several_columns_have_is_given_once(count: int) -> None:
    db = sqlite3.connect(":memory:")
    db.execute("CREATE TABLE t (a INTEGER, b INTEGER, c REAL, d INTEGER)")
    Several("t", (0, "7", 1, 0)).insert(db, [range(count), [n / 2 for n in range(count)]])
    assert db.execute("SELECT * FROM t").fetchall() == [(n, 7, n / 2, n) for n in range(count)]
