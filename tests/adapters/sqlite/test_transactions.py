"""Open charging transactions: what is kept of one station, over restarts, and from a file of an earlier version."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from adapters.sqlite import transactions
from adapters.sqlite.transactions import Transaction, Transactions


def test_the_newest_transactions_of_a_station_are_kept_and_others_lose_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transactions, "OF_ONE", 10)
    opened = Transactions(tmp_path / "open.db")
    opened.note("cp1", "1", Transaction(1, "2026-03-01T00:00:00Z", 100.0))
    for number in range(25):
        opened.note("evil", str(number), Transaction(1, start_wh=float(number)))
        opened.note("evil", str(number), Transaction(1, stop_wh=float(number)))
        if number == 12:
            opened.close()
            opened = Transactions(tmp_path / "open.db")
    kept = [number for number in range(25) if opened.get("evil", str(number)) != Transaction()]
    assert kept == list(range(15, 25))
    assert opened.get("evil", "20") == Transaction(1, None, 20.0, None, 20.0)
    assert opened.get("cp1", "1") == Transaction(1, "2026-03-01T00:00:00Z", 100.0)
    opened.close()


def test_stations_that_are_invented_have_a_bound_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transactions, "OF_ALL", 10)
    opened = Transactions(tmp_path / "open.db")
    for number in range(30):
        opened.note(f"st-{number}", "1", Transaction(number))
    assert [n for n in range(30) if opened.get(f"st-{n}", "1").connector is not None] == list(range(20, 30))
    opened.close()


def test_a_file_of_an_earlier_version_is_continued(tmp_path: Path) -> None:
    old = sqlite3.connect(tmp_path / "open.db")
    old.execute(
        "CREATE TABLE transactions (station TEXT, id TEXT, connector INTEGER, start TEXT, start_wh REAL, stop TEXT,"
        " stop_wh REAL, PRIMARY KEY (station, id)) WITHOUT ROWID"
    )
    old.execute("INSERT INTO transactions VALUES ('cp1', '7', 1, '2026-03-01T00:00:00Z', 100.0, NULL, NULL)")
    old.commit()
    old.close()
    opened = Transactions(tmp_path / "open.db")
    whole = opened.note("cp1", "7", Transaction(stop="2026-03-01T01:00:00Z", stop_wh=200.0))
    assert whole == Transaction(1, "2026-03-01T00:00:00Z", 100.0, "2026-03-01T01:00:00Z", 200.0)
    opened.close()
