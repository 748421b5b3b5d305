"""How many readings a gateway's file holds, seen from outside."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from adapters.sqlite.blocks import readable


def received(path: Path, city: str) -> int:
    """Different readings of a city's devices, the gateway's own left out."""
    sql = (
        "SELECT count(*) FROM every_reading r JOIN buffer_series s ON s.id = r.series"
        " WHERE s.city = ? AND s.quantity NOT LIKE 'gw_%' AND s.quantity NOT LIKE 'ledger_%'"
    )
    with closing(readable(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30))) as db:
        return int(db.execute(sql, (city,)).fetchone()[0])


def complete(path: Path, city: str, count: int) -> int:
    """How many series of a city's devices hold exactly that many readings: one too many hides none that is missing."""
    sql = (
        "SELECT count(*) FROM (SELECT 1 FROM every_reading r JOIN buffer_series s ON s.id = r.series"
        " WHERE s.city = ? AND s.quantity = 'no2' GROUP BY r.series HAVING count(*) = ?)"
    )
    with closing(readable(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30))) as db:
        return int(db.execute(sql, (city, count)).fetchone()[0])


def counter(path: Path, name: str) -> int:
    """One of the gateway's counters."""
    with closing(readable(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30))) as db:
        row = db.execute("SELECT value FROM meta WHERE key = ?", (name,)).fetchone()
    return int(row[0]) if row else 0


def waiting(path: Path) -> int:
    """Windows not confirmed by the store."""
    with closing(readable(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30))) as db:
        return int(db.execute("SELECT count(*) FROM dirty").fetchone()[0])
