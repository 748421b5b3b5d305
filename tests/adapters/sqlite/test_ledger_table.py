"""The ledger's rows on disk: written whole, added up by hand here, bounded by what is folded."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.sqlite.ledger import FOLDED, Asked, Entry, LedgerTable, Totals
from tests.adapters.sqlite.buffers import opened

NOW = 1_709_294_400_000


@pytest.fixture
def table(tmp_path: Path) -> LedgerTable:
    return opened(tmp_path).ledger


Counts = tuple[int, int, int, int, int, int]  # received, duplicate, refused, recovered, missing, given_up


def entry(boot: int, changed: int, counts: Counts, sent: int, device: str = "s1") -> Entry:
    return Entry("aba", device, boot, 0, "0-3", *counts, changed, sent)


ROWS = [
    entry(1, NOW + 1, (1, 2, 3, 4, 5, 6), 7), entry(2, NOW + 9, (10, 20, 30, 40, 50, 60), 70),
    entry(3, NOW + 5, (100, 200, 300, 400, 500, 600), 700), entry(1, NOW + 2, (7, 6, 5, 4, 0, 2), 1, device="s2"),
]  # fmt: skip


def test_a_row_is_read_as_it_was_written(table: LedgerTable) -> None:
    table.put(ROWS)
    assert [table.get("aba", row.device, row.boot) for row in ROWS] == ROWS
    assert table.get("aba", "s3", 1) is None
    assert sorted(table.boots("aba", "s1")) == [1, 2, 3]


def test_totals_add_up_the_boots_of_a_device(table: LedgerTable) -> None:
    table.put(ROWS)
    s1, s2 = Totals("aba", "s1", 111, 222, 333, 444, 555, 777), Totals("aba", "s2", 7, 6, 5, 4, 0, 1)
    assert table.totals() == [s1, s2]
    assert table.totals_of("aba", "s1") == [s1]
    assert table.totals_of("aba", "s3") == []
    assert table.totals(NOW + 9) == [s1]
    assert table.totals(NOW + 10) == []
    assert [row.boot for row in table.with_gaps() if row.device == "s1"] == [1, 2, 3]
    assert [row for row in table.with_gaps() if row.device == "s2"] == []


def test_the_device_of_a_row_that_changed_at_time_zero_is_in_the_totals(table: LedgerTable) -> None:
    table.put([entry(1, 0, (1, 0, 0, 0, 0, 0), 1)])
    assert len(table.totals()) == 1


def test_folded_boots_become_one_row_and_their_other_rows_go(table: LedgerTable) -> None:
    table.put(ROWS)
    table.put_undated([("aba", "s1", 1, "0-2"), ("aba", "s1", 2, "5")])
    table.note_asked([Asked("aba", "s1", boot, 3, NOW) for boot in (1, 2)])
    assert table.fold("aba", "s1", 3) == []
    assert sorted(table.boots("aba", "s1")) == [1, 2, 3]
    assert table.fold("aba", "s1", 2) == [1]
    # What is folded is never requested any more, so all that is missing counts as given up.
    assert table.get("aba", "s1", -1) == Entry("aba", "s1", -1, 0, "", 1, 2, 3, 4, 5, 5, NOW + 1, 7)
    assert table.get("aba", "s1", 1) is None
    assert table.undated() == {("aba", "s1", 2): "5"}
    assert [asked.boot for asked in table.asked()] == [2]
    assert table.fold("aba", "s1", 1) == [3]
    assert table.get("aba", "s1", FOLDED) == Entry("aba", "s1", -1, 0, "", 101, 202, 303, 404, 505, 505, NOW + 5, 707)
    assert sorted(table.boots("aba", "s1")) == [-1, 2]
    assert table.totals_of("aba", "s1") == [Totals("aba", "s1", 111, 222, 333, 444, 555, 777)]
    assert table.totals_of("aba", "s2") == [Totals("aba", "s2", 7, 6, 5, 4, 0, 1)]
    assert [row.boot for row in table.with_gaps()] == [2]


def test_undated_records_go_with_the_boot_in_which_nothing_changed(table: LedgerTable) -> None:
    table.put(ROWS[:2])
    table.put_undated([("aba", "s1", 1, "0-2"), ("aba", "s1", 2, "5")])
    assert table.undated() == {("aba", "s1", 1): "0-2", ("aba", "s1", 2): "5"}
    table.drop_undated(NOW + 1)
    assert len(table.undated()) == 2
    table.drop_undated(NOW + 2)
    assert table.undated() == {("aba", "s1", 2): "5"}
