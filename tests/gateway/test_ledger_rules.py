"""The rules of the loss ledger one by one, against sets and counts that the tests keep themselves."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.sqlite.buffer import Buffer
from adapters.sqlite.ledger import LedgerTable, Totals
from gateway import ledger as rules
from gateway.decoding.decoded import Line
from gateway.ledger import Account, Ledger
from telemetry.windows import HOUR, MINUTE

NOW = 1_709_294_400_000


@pytest.fixture
def table() -> LedgerTable:
    return Buffer(Path(":memory:"), MINUTE).ledger


@pytest.fixture
def ledger(table: LedgerTable) -> Ledger:
    return Ledger(table)


def line(seq: int, boot: int = 1, device: str = "s1", stored: bool | None = True, undated: bool = False) -> Line:
    return Line("aba", device, boot, seq, stored, undated)


def lines(*seqs: int, boot: int = 1, device: str = "s1") -> list[Line]:
    return [line(seq, boot, device) for seq in seqs]


def totals(table: LedgerTable, device: str = "s1") -> Totals:
    [found] = table.totals_of("aba", device)
    return found


def missing(account: Account) -> int:
    return account.entry(("aba", "s1", 1), NOW).missing


# -- one boot --


@given(st.lists(st.tuples(st.integers(0, 30), st.sampled_from([True, True, False, None])), max_size=60))
def test_the_counts_of_a_boot_are_those_of_sets(records: list[tuple[int, bool | None]]) -> None:
    account, seen, refused, recovered, duplicate, last = Account(), set[int](), 0, 0, 0, -1
    for seq, stored in records:
        if stored is None:
            account.last = max(account.last, seq)
            last = max(last, seq)
            continue
        account.add(seq, stored)
        if seq in seen:
            duplicate += 1
            continue
        recovered += seq < max(seen, default=-1) or seq <= last
        refused += not stored
        seen.add(seq)
    end = max([last, *seen])
    missing = [n for n in range(end + 1) if n not in seen]
    assert (account.received, account.duplicate, account.refused, account.recovered) == (
        len(seen), duplicate, refused, recovered,
    )  # fmt: skip
    assert (account.end, account.given_up) == (end, 0)
    assert [n for a, b in account.gaps() for n in range(a, b + 1)] == missing
    entry = account.entry(("aba", "s1", 1), NOW)
    assert (entry.start, entry.sent, entry.missing, entry.changed) == (0, end + 1, len(missing), NOW)


def test_of_a_boot_500_ranges_are_kept_and_older_gaps_are_given_up() -> None:
    account = Account()
    for seq in range(0, 1000, 2):
        account.add(seq, True)
    assert (len(account.seen), account.given_up, missing(account)) == (500, 0, 499)
    account.add(1000, True)
    assert (len(account.seen), account.given_up, missing(account)) == (500, 1, 500)
    assert account.gaps()[0] == (3, 3)


def test_the_bound_holds_for_records_that_follow_a_named_end(ledger: Ledger, table: LedgerTable) -> None:
    ledger.store(lines(*range(0, 1000, 2)), NOW)
    ledger.store([line(999, stored=None)], NOW)
    ledger.store(lines(1000, 1001), NOW)
    row = table.get("aba", "s1", 1)
    assert row is not None
    assert (len(row.seen.split(",")), row.received, row.given_up, row.missing) == (500, 502, 1, 500)


@pytest.mark.parametrize(("first", "missing"), [(5000, 5000), (5001, 0)])
def test_a_new_device_with_a_large_number_was_there_before_the_gateway(
    ledger: Ledger, table: LedgerTable, first: int, missing: int
) -> None:
    ledger.store(lines(first), NOW)
    assert totals(table) == Totals("aba", "s1", 1, 0, 0, 0, missing, 1 + missing)
    assert bool(ledger.report(None)) == bool(missing)
    assert len(ledger.requests(NOW + HOUR)) == bool(missing)


def test_records_before_the_first_one_of_a_running_device_are_not_counted(ledger: Ledger, table: LedgerTable) -> None:
    ledger.store(lines(90_000, 89_999, 90_001), NOW)
    assert totals(table) == Totals("aba", "s1", 2, 0, 0, 0, 0, 2)


@pytest.mark.parametrize(("seq", "sent"), [(1_000_001, 1_000_002), (1_000_002, 1)])
def test_a_jump_of_more_than_a_million_is_not_a_count_of_records(
    ledger: Ledger, table: LedgerTable, seq: int, sent: int
) -> None:
    ledger.store(lines(0), NOW)
    ledger.store(lines(seq), NOW)
    assert totals(table).sent == sent


# -- many boots --


def send_boots(ledger: Ledger, first: int, count: int, now: int) -> None:
    """A record of each of these boots, each in a batch of its own."""
    for boot in range(first, first + count):
        ledger.store(lines(0, boot=boot), now)


def test_new_boots_are_counted_64_at_once_and_then_one_a_minute(ledger: Ledger, table: LedgerTable) -> None:
    send_boots(ledger, 1, 64, NOW)
    assert (totals(table).received, ledger.passed_over) == (64, 0)
    send_boots(ledger, 101, 1, NOW)
    send_boots(ledger, 102, 1, NOW + MINUTE // 2)
    assert (totals(table).received, ledger.passed_over) == (64, 2)
    send_boots(ledger, 103, 2, NOW + MINUTE)
    assert (totals(table).received, ledger.passed_over) == (65, 3)
    send_boots(ledger, 201, 12, NOW + 11 * MINUTE)
    assert (totals(table).received, ledger.passed_over) == (75, 5)
    send_boots(ledger, 301, 70, NOW + 5000 * MINUTE)
    assert (totals(table).received, ledger.passed_over) == (139, 11)
    send_boots(ledger, 401, 1, NOW)  # the clock was set back
    assert (totals(table).received, ledger.passed_over) == (139, 12)


def test_after_a_restart_a_device_with_all_its_boots_may_start_one_more(ledger: Ledger, table: LedgerTable) -> None:
    send_boots(ledger, 1, 64, NOW)
    again = Ledger(table)
    send_boots(again, 65, 2, NOW)
    assert (totals(table).received, again.passed_over) == (65, 1)


def test_boots_beyond_64_are_added_up_those_that_changed_first(ledger: Ledger, table: LedgerTable) -> None:
    for boot in range(1, 65):
        ledger.store(lines(0, 2, boot=boot), NOW + boot)
    assert sorted(table.boots("aba", "s1")) == list(range(1, 65))
    ledger.store(lines(0, boot=1), NOW + 100)  # a duplicate: boot 1 changed last
    ledger.store(lines(0, boot=65), NOW + 2 * MINUTE)
    assert sorted(table.boots("aba", "s1")) == [-1, 1, *range(3, 66)]
    folded = table.get("aba", "s1", -1)
    assert folded is not None
    assert (folded.received, folded.missing, folded.given_up, folded.sent, folded.changed) == (2, 1, 1, 3, NOW + 2)
    assert totals(table) == Totals("aba", "s1", 129, 1, 0, 0, 64, 193)
    assert {r.command["boot"] for r in ledger.requests(NOW + HOUR)} <= {1, *range(3, 65)}
    ledger.store(lines(0, boot=66), NOW + 4 * MINUTE)
    folded = table.get("aba", "s1", -1)
    assert folded is not None
    assert (folded.received, folded.missing, folded.sent) == (4, 2, 6)  # boots 2 and 3


def test_a_record_of_a_boot_that_was_added_up_starts_a_new_row(ledger: Ledger, table: LedgerTable) -> None:
    ledger.store([line(0, boot=1, undated=True)], NOW)
    send_boots(ledger, 2, 63, NOW + 1)
    send_boots(ledger, 65, 1, NOW + 2 * MINUTE)
    assert not ledger.undated("aba", "s1", 1, 0)
    ledger.store(lines(0, boot=1), NOW + 4 * MINUTE)
    assert (totals(table).received, totals(table).duplicate) == (66, 0)  # its details are gone


def test_the_end_of_an_earlier_boot_counts_once_the_device_is_known(ledger: Ledger, table: LedgerTable) -> None:
    end = line(4, boot=1, stored=None)
    ledger.store([end], NOW)
    assert table.totals() == []
    ledger.store(lines(0, boot=2), NOW)
    ledger.store([end], NOW)
    assert totals(table) == Totals("aba", "s1", 1, 0, 0, 0, 5, 6)


def test_the_end_of_an_earlier_boot_counts_in_the_batch_with_two_later_ones(ledger: Ledger, table: LedgerTable) -> None:
    ledger.store([line(0, boot=5), line(2, boot=4, stored=None)], NOW)
    assert totals(table).missing == 0  # boot 5 alone: what was before was sent to another gateway
    ledger.store([line(0, boot=5, device="s2"), line(0, boot=6, device="s2"), line(2, 4, "s2", stored=None)], NOW)
    assert totals(table, "s2").missing == 3


def test_one_record_missing_at_the_end_of_a_boot_is_requested(ledger: Ledger) -> None:
    ledger.store(lines(0, 1), NOW)
    ledger.store([line(1, stored=None)], NOW)
    assert (ledger.requests(NOW + HOUR), ledger.report(None)) == ([], [])
    ledger.store([line(2, stored=None)], NOW)
    assert [(r.command["from"], r.command["to"]) for r in ledger.requests(NOW + 2000)] == [(2, 2)]
    assert [t.missing for t in ledger.report(None)] == [1]


# -- trouble, requests --


def test_a_device_is_in_trouble_only_while_something_is_wrong(ledger: Ledger) -> None:
    ledger.store([*lines(0, 0, 2, 1), line(3, stored=False)], NOW)
    assert [(t.duplicate, t.refused, t.recovered) for t in ledger.report(None)] == [(1, 1, 1)]
    ledger.store(lines(4), NOW)
    assert ledger.report(None) == []
    for wrong in (line(4), line(5, stored=False), line(7), line(6)):
        ledger.store([wrong], NOW)
        assert len(ledger.report(None)) == 1
    ledger.store(lines(8), NOW)
    ledger.store([line(9, undated=True)], NOW)
    assert ledger.report(None) == []


def test_records_that_fill_no_gap_do_not_change_when_the_next_request_leaves(ledger: Ledger) -> None:
    ledger.store(lines(0, 2), NOW)
    leaves = []
    for second in range(1, 40):
        ledger.store(lines(2 + second), NOW + 1000 * second)
        if ledger.requests(NOW + 1000 * second):
            leaves.append(second)
    assert leaves == [2, 6, 14, 30]


def test_after_a_reconnection_all_gaps_are_requested_at_once(ledger: Ledger) -> None:
    ledger.store(lines(0, 2), NOW)
    assert len(ledger.requests(NOW + 2000)) == 1
    assert ledger.requests(NOW + 2000) == []
    ledger.reconnected()
    assert len(ledger.requests(NOW + 2000)) == 1


def test_200_commands_leave_at_once(ledger: Ledger) -> None:
    for number in range(205):
        ledger.store(lines(0, 2, device=f"s{number}"), NOW)
    assert len(ledger.requests(NOW + 2000)) == 200
    assert len(ledger.requests(NOW + 2000)) == 5


# -- what was counted, and what was dated by its arrival --


def test_a_record_counted_as_rejected_and_as_duplicate_can_be_corrected(ledger: Ledger, table: LedgerTable) -> None:
    ledger.store([line(0, stored=False), line(1)], NOW)
    ledger.count(lines(0), NOW)
    ledger.mark_stored("aba", "s1", 1, 0)
    ledger.store([], NOW)
    assert totals(table) == Totals("aba", "s1", 2, 0, 0, 0, 0, 2)
    ledger.count(lines(1), NOW)
    ledger.mark_stored("aba", "s1", 1, 1)  # none was rejected
    ledger.mark_stored("aba", "unknown", 1, 1)
    ledger.store([], NOW)
    assert totals(table) == Totals("aba", "s1", 2, 1, 0, 0, 0, 2)


def test_a_record_from_before_the_gateway_is_not_corrected(ledger: Ledger, table: LedgerTable) -> None:
    ledger.count([line(90_000, stored=False)], NOW)
    ledger.mark_stored("aba", "s1", 1, 5)
    ledger.store([], NOW)
    assert totals(table) == Totals("aba", "s1", 1, 0, 1, 0, 0, 1)


def test_what_was_counted_is_known_before_and_after_it_is_on_disk(ledger: Ledger, table: LedgerTable) -> None:
    ledger.store(lines(3), NOW)
    ledger.count(lines(4), NOW)
    for seq, counted in ((0, False), (2, False), (3, True), (4, True), (5, False)):
        assert ledger.is_counted("aba", "s1", 1, seq) is counted
    assert not ledger.is_counted("aba", "s1", 2, 3)
    assert not ledger.is_counted("aba", "s2", 1, 3)
    ledger.store([], NOW)
    again = Ledger(table)
    assert [seq for seq in range(6) if again.is_counted("aba", "s1", 1, seq)] == [3, 4]
    again.store(lines(90_000, device="s9"), NOW)
    assert again.is_counted("aba", "s9", 1, 89_999)  # sent to another gateway


def test_only_stored_records_without_a_time_are_dated_by_their_arrival(ledger: Ledger, table: LedgerTable) -> None:
    ledger.store([line(0), line(1, undated=True), line(2, stored=False, undated=True)], NOW)
    ledger.store([line(1, undated=True)], NOW)  # redelivered
    assert [seq for seq in range(4) if ledger.undated("aba", "s1", 1, seq)] == [1]
    again = Ledger(table)
    assert [seq for seq in range(4) if again.undated("aba", "s1", 1, seq)] == [1]
    assert again.has_undated("aba", "s1")
    assert not again.has_undated("aba", "s2")


def test_of_the_records_dated_by_their_arrival_500_ranges_of_a_boot_are_kept(ledger: Ledger) -> None:
    ledger.store([line(seq, undated=True) for seq in range(0, 1000, 2)], NOW)
    assert ledger.undated("aba", "s1", 1, 0)
    ledger.store([line(1000, undated=True)], NOW)
    assert [seq for seq in (0, 2, 1000) if ledger.undated("aba", "s1", 1, seq)] == [2, 1000]


def test_they_are_kept_for_an_hour_longer_than_their_windows(ledger: Ledger) -> None:
    ledger.store([line(0, undated=True)], NOW)
    ledger.forget_undated(NOW + HOUR)
    assert ledger.has_undated("aba", "s1")
    ledger.forget_undated(NOW + HOUR + 1)
    assert not ledger.has_undated("aba", "s1")


def test_a_failed_transaction_leaves_nothing_in_memory(ledger: Ledger, table: LedgerTable) -> None:
    ledger.count([line(0, boot=1, undated=True), line(0, boot=2)], NOW)
    ledger.forget()
    ledger.store([line(4, boot=0, stored=None)], NOW)
    assert table.totals() == []  # the device is unknown, so the end of an earlier boot does not count
    assert not ledger.undated("aba", "s1", 1, 0)
    ledger.store(lines(0, boot=1), NOW)
    assert totals(table) == Totals("aba", "s1", 1, 0, 0, 0, 0, 1)


def test_memory_is_bounded_and_counts_do_not_depend_on_it(
    ledger: Ledger, table: LedgerTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "_CACHED", 3)
    sizes = []
    for round_ in range(2):
        for number in range(20):
            ledger.store(lines(round_, device=f"s{number}"), NOW)
            sizes.append((len(ledger._boots), len(ledger._accounts)))
    assert (max(b for b, _ in sizes), max(a for _, a in sizes)) == (4, 4)
    ledger.store([line(2, device=f"s{number}") for number in range(20)], NOW)  # in one batch
    assert {(t.received, t.missing, t.duplicate) for t in table.totals()} == {(3, 0, 0)}
    assert len(table.totals()) == 20
