"""The gateway's buffer: what is stored, what is to be sent, and what an acknowledgement clears."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adapters.sqlite.buffer import NUMBERED, Buffer
from adapters.sqlite.outbox import Turn
from telemetry.errors import UsageError
from telemetry.readings import Readings
from telemetry.series import Series
from tests.adapters.sqlite.buffers import MIN, NOON, A, B, C, generations, opened, outbox, put, selected, to_send


@pytest.fixture
def buffer(tmp_path: Path) -> Buffer:
    return opened(tmp_path)


def test_only_a_new_value_or_flag_counts_as_a_change(buffer: Buffer) -> None:
    assert put(buffer) == 0
    assert put(buffer, (A, NOON, 1.0), (A, NOON + 1, 2.0)) == 2
    assert put(buffer, (A, NOON, 1.0), (A, NOON + 1, 2.5)) == 1
    assert put(buffer, (A, NOON, 1.0, 0, NOON + 99, 0)) == 0  # another arrival of the same reading
    assert put(buffer, (A, NOON, 1.0, 0, NOON, 3)) == 1
    assert put(buffer, (A, NOON, 1.0, 7)) == 1  # another key is another reading
    assert buffer.rows() == 3


def test_each_batch_with_a_change_raises_the_generation_of_its_windows_by_one(buffer: Buffer) -> None:
    put(buffer, (A, NOON + 1, 1.0), (B, NOON, 1.0), (A, NOON + MIN, 1.0), (A, NOON + 2, 1.0), (B, NOON + 3, 1.0))
    assert outbox(buffer) == {(A, NOON): 1, (B, NOON): 1, (A, NOON + MIN): 1}
    put(buffer, (A, NOON + 5, 1.0))
    assert outbox(buffer) == {(A, NOON): 2, (B, NOON): 1, (A, NOON + MIN): 1}
    put(buffer, (A, NOON + 5, 1.0))
    assert outbox(buffer)[A, NOON] == 2


def test_windows_to_send_come_with_all_their_readings_and_no_others(buffer: Buffer) -> None:
    rows = [
        (A, NOON, 1.5, 0, NOON + 4, 0), (A, NOON + 59_999, 2.5, 3, NOON + 70_000, 1), (B, NOON, 4.0, 0, NOON + 9, 0),
        (A, NOON + MIN, 3.5, 0, NOON + MIN, 0),
    ]  # fmt: skip
    put(buffer, *rows)
    assert to_send(buffer) == sorted(rows)
    assert to_send(buffer, 1) == [rows[3]]  # the newest window first
    assert to_send(buffer, 2, newest_first=False) == sorted(rows[:3])
    assert list(outbox(buffer, 1, newest_first=False)) in ([(A, NOON)], [(B, NOON)])
    buffer.confirm(selected(buffer))
    dirty, readings = buffer.dirty(10)
    assert [len(column) for column in dirty] == [0, 0, 0]
    assert len(readings) == 0


def test_windows_that_wait_are_skipped_and_stay_dirty(buffer: Buffer) -> None:
    put(buffer, (A, NOON, 1.0), (B, NOON, 1.0), (A, NOON + MIN, 1.0))
    first, second = (buffer.table.id_of(series) for series in (A, B))
    assert outbox(buffer, turn=Turn([(first, NOON), (second, NOON + MIN)])) == {(B, NOON): 1, (A, NOON + MIN): 1}
    assert outbox(buffer, turn=Turn([(first, NOON), (second, NOON), (first, NOON + MIN)])) == {}
    assert (A, NOON) in outbox(buffer)


def test_windows_take_turns_behind_those_that_go_first(buffer: Buffer) -> None:
    """Of four series the windows of two minutes, newest first."""
    every = [Series("aba", f"s{n}", "no2") for n in range(4)]
    put(buffer, *[(series, start, 1.0) for series in every for start in (NOON, NOON + MIN)])
    ids = [buffer.table.id_of(series) for series in every]
    usual = [(i, start) for start in (NOON + MIN, NOON) for i in reversed(ids)]

    def chosen(limit: int, **options: Any) -> list[tuple[int, int]]:
        dirty, _ = buffer.dirty(limit, **options)
        return list(zip(dirty.series.tolist(), dirty.window.tolist(), strict=True))

    last, oldest = usual[2], usual[-1]
    assert chosen(3) == usual[:3]
    assert chosen(3, turn=Turn(after=last)) == usual[3:6]
    assert chosen(8, turn=Turn(after=last)) == usual[3:] + usual[:3], "then those before, until there are enough"
    assert chosen(7, turn=Turn(after=last)) == usual[3:] + usual[:2]
    assert chosen(3, turn=Turn(first=[oldest], after=last)) == [oldest, *usual[3:5]]
    assert chosen(8, turn=Turn(first=[oldest])) == [oldest, *usual[:-1]]
    assert chosen(8, turn=Turn([oldest], [oldest, last])) == [last, *usual[:2], *usual[3:-1]]
    assert chosen(8, turn=Turn(after=last), newest_first=False) == usual[1::-1] + usual[:1:-1]


def test_a_city_is_sent_without_the_windows_of_another(buffer: Buffer) -> None:
    put(buffer, (A, NOON, 1.0), (B, NOON, 1.0), (C, NOON, 1.0))
    assert outbox(buffer, city="aba") == {(A, NOON): 1, (B, NOON): 1}
    assert outbox(buffer, city="bel") == {(C, NOON): 1}
    assert outbox(buffer, city="nowhere") == {}


def test_a_window_without_readings_is_still_in_the_outbox(buffer: Buffer) -> None:
    put(buffer, (A, NOON, 1.0), (B, NOON + MIN, 2.0))
    buffer.db.execute("DELETE FROM reading WHERE window = ?", (NOON,))
    assert outbox(buffer) == {(A, NOON): 1, (B, NOON + MIN): 1}
    assert to_send(buffer) == [(B, NOON + MIN, 2.0, 0, NOON + MIN, 0)]
    buffer.db.execute("DELETE FROM reading")
    assert outbox(buffer) == {(A, NOON): 1, (B, NOON + MIN): 1}
    assert to_send(buffer) == []


def test_a_confirmation_clears_the_state_that_was_sent_and_no_newer_one(buffer: Buffer) -> None:
    put(buffer, (A, NOON, 1.0), (B, NOON, 1.0))
    sent = selected(buffer)
    put(buffer, (A, NOON + 1, 1.0))
    buffer.confirm(sent)
    assert outbox(buffer) == {(A, NOON): 2}
    assert buffer.backlog() == (1, NOON)
    buffer.confirm(selected(buffer))
    assert buffer.backlog() == (0, None)


def publish(buffer: Buffer, number: int, *windows: tuple[Series, int]) -> None:
    """Assign these windows to the message with this number."""
    found = selected(buffer)
    rows = [i for i, key in enumerate(generations(buffer, found)) if key in windows]
    chosen = type(found)(*(column[rows] for column in found))
    buffer.assign_messages(chosen, np.full(len(rows), number))


def test_a_published_window_is_in_flight_until_its_message_is_confirmed(buffer: Buffer) -> None:
    put(buffer, (A, NOON, 1.0), (B, NOON, 1.0))
    publish(buffer, 7, (A, NOON))
    assert outbox(buffer) == {(B, NOON): 1}
    assert buffer.backlog() == (2, NOON)
    assert buffer.confirm_messages("aba", [7]) == 0
    assert buffer.backlog() == (1, NOON)
    publish(buffer, 8, (B, NOON))
    put(buffer, (B, NOON + 1, 1.0))  # changed in flight
    assert buffer.confirm_messages("aba", [8]) == 0
    assert outbox(buffer) == {(B, NOON): 2}


def test_a_window_that_changed_since_it_was_read_is_not_assigned_to_the_message(buffer: Buffer) -> None:
    put(buffer, (A, NOON, 1.0))
    read = selected(buffer)
    put(buffer, (A, NOON + 1, 1.0))
    buffer.assign_messages(read, np.array([3]))
    assert outbox(buffer) == {(A, NOON): 2}


def test_earlier_messages_of_the_same_city_are_requeued_by_a_receipt(buffer: Buffer) -> None:
    later = [(A, NOON + n * MIN) for n in range(6)]
    put(buffer, *((s, t, 1.0) for s, t in later), (C, NOON, 1.0))
    for number, window in enumerate(later, 3):  # messages 3 to 8
        publish(buffer, number, window)
    publish(buffer, 2, (C, NOON))
    assert buffer.confirm_messages("aba", [4, 6]) == 2  # 3 and 5 were lost on their way
    assert outbox(buffer) == {later[0]: 1, later[2]: 1}
    assert buffer.backlog() == (5, NOON)  # those two, 7 and 8 in flight, and the other city's
    assert buffer.confirm_messages("bel", [2]) == 0
    assert buffer.backlog() == (4, NOON)
    buffer.requeue_unconfirmed()
    assert outbox(buffer) == {later[0]: 1, later[2]: 1, later[4]: 1, later[5]: 1}


def test_message_numbers_only_grow_also_by_receipts_for_another_copy_of_the_file(tmp_path: Path) -> None:
    buffer = opened(tmp_path)
    put(buffer, (A, NOON, 1.0), (A, NOON + MIN, 1.0), (A, NOON + 2 * MIN, 1.0))
    assert buffer.last_message() == 0
    buffer.assign_messages(selected(buffer), np.array([4, 6, 5]))
    assert buffer.last_message() == 6
    buffer.confirm_messages("aba", [5])
    assert buffer.last_message() == 6
    buffer.confirm_messages("aba", [41, 40])
    buffer.close()
    assert opened(tmp_path).last_message() == 41


@pytest.mark.parametrize(
    ("since", "marked"),
    [
        (None, [0, 1, 2]), (NOON, [0, 1, 2]), (NOON + MIN - 1, [0, 1, 2]), (NOON + MIN, [1, 2]),
        (NOON + MIN + 1, [1, 2]), (NOON + 3 * MIN, []),
    ],
)  # fmt: skip
def test_all_windows_that_reach_into_the_lost_time_are_marked(
    buffer: Buffer, since: int | None, marked: list[int]
) -> None:
    put(buffer, *((A, NOON + n * MIN + 5, 1.0) for n in range(3)))
    buffer.confirm(selected(buffer))
    if since is None:
        buffer.mark_all_dirty()
    else:
        buffer.mark_all_dirty(since)
    assert outbox(buffer) == {(A, NOON + n * MIN): 1 for n in marked}


def test_marking_all_windows_requeues_those_in_flight_as_a_new_state(buffer: Buffer) -> None:
    put(buffer, (A, NOON, 1.0))
    publish(buffer, 3, (A, NOON))
    buffer.mark_all_dirty()
    assert outbox(buffer) == {(A, NOON): 2}
    buffer.confirm_messages("aba", [3])
    assert outbox(buffer) == {(A, NOON): 2}


def test_windows_whose_readings_are_sent_by_another_way_are_not_marked(buffer: Buffer) -> None:
    ids = [buffer.table.id_of(series) for series in (A, B, A)]
    readings = Readings.of(ids, [NOON, NOON, NOON + MIN], [1.0, 2.0, 3.0])
    assert buffer.put(readings, np.array([True, False, True])) == 3
    assert outbox(buffer) == {(B, NOON): 1}
    assert buffer.put(Readings.of(ids[:1], [NOON + 1], [4.0]), np.array([True])) == 1
    assert outbox(buffer) == {(B, NOON): 1}


def test_recorded_windows_before_1970_are_sent_and_marked_again(buffer: Buffer) -> None:
    put(buffer, (A, -20 * MIN, 1.0))
    assert outbox(buffer) == {(A, -20 * MIN): 1}
    buffer.confirm(selected(buffer))
    assert outbox(buffer) == {}
    buffer.mark_all_dirty()
    assert outbox(buffer) == {(A, -20 * MIN): 1}


def test_windows_before_a_time_can_be_held_back_over_a_restart(tmp_path: Path) -> None:
    buffer = opened(tmp_path)
    put(buffer, *((A, NOON + n * MIN, 1.0) for n in range(3)))
    buffer.set_send_from(NOON + MIN)
    assert outbox(buffer) == {(A, NOON + MIN): 1, (A, NOON + 2 * MIN): 1}
    buffer.close()
    again = opened(tmp_path)
    assert again.send_from == NOON + MIN
    assert len(outbox(again)) == 2
    again.set_send_from(0)
    assert len(outbox(again)) == 3


def test_values_are_found_by_their_time_and_by_their_record_number(buffer: Buffer) -> None:
    assert NUMBERED == 4_611_686_018_427_387_904  # the number in the file's index
    put(buffer, (A, NOON, 1.0), (A, NOON, 2.0, 9), (B, NOON, 3.0), (A, NOON + 1, 4.0, NUMBERED), (A, NOON, 5.0, 1))
    a, b = buffer.table.id_of(A), buffer.table.id_of(B)
    assert buffer.values_at(a, NOON) == {0: 1.0, 9: 2.0, 1: 5.0}
    assert buffer.values_at(a, NOON + 2) == {}
    assert buffer.value_of(a, NUMBERED) == 4.0
    assert buffer.value_of(a, 9) is None  # not a record number
    assert buffer.value_of(b, NUMBERED) is None


def test_readings_of_a_series_are_those_in_the_time_range_in_order(buffer: Buffer) -> None:
    rows = [
        (A, NOON + t, float(t), key, NOON + 7, flag) for t, key, flag in [(0, 0, 0), (5, 2, 0), (5, 1, 4), (9, 0, 0)]
    ]
    put(buffer, *rows[::-1], (B, NOON, 99.0))
    found = buffer.series_readings(A, NOON, NOON + 9)
    assert [found.t.tolist(), found.value.tolist()] == [[NOON, NOON + 5, NOON + 5], [0.0, 5.0, 5.0]]
    assert [found.key.tolist(), found.flag.tolist()] == [[0, 1, 2], [0, 4, 0]]
    assert found.arrival.tolist() == [NOON + 7] * 3
    assert found.series.tolist() == [buffer.table.id_of(A)] * 3
    assert buffer.series_readings(A, NOON + 1, NOON + 10).t.tolist() == [NOON + 5, NOON + 5, NOON + 9]
    assert len(buffer.series_readings(A, NOON + 10, NOON + 10 * MIN)) == 0


def test_the_newest_window_is_of_a_device_with_a_clock(buffer: Buffer) -> None:
    assert buffer.newest_window() == 0
    put(buffer, (A, NOON + 5, 1.0, 0, NOON + 6, 0))
    put(buffer, (Series("aba", "gw", "gw_received"), NOON + MIN, 1.0, 0, NOON + MIN + 1, 0))
    put(buffer, (Series("aba", "s1", "ledger_received"), NOON + MIN, 1.0, 0, NOON + MIN + 1, 0))
    put(buffer, (A, NOON + 2 * MIN, 1.0))  # dated by its arrival
    put(buffer, (A, NOON + 3 * MIN, 1.0, 8, NOON + 4 * MIN, 0))  # dated by a number
    assert buffer.newest_window() == NOON
    put(buffer, (A, NOON + MIN, 1.0, 0, NOON + 2 * MIN, 0))
    assert buffer.newest_window() == NOON + MIN


def test_counters_and_arrivals_survive_a_restart(tmp_path: Path) -> None:
    buffer = opened(tmp_path)
    assert (buffer.last_arrival(), buffer.counters()) == (0, {})
    buffer.count({"gw_received": 3, "gw_rejected": 1})
    buffer.count({"gw_received": 4})
    with buffer.transaction():
        buffer.note_arrival(17)
    buffer.close()
    with pytest.raises(sqlite3.ProgrammingError):
        buffer.db.execute("SELECT 1")
    again = opened(tmp_path)
    assert (again.last_arrival(), again.counters()) == (17, {"gw_received": 7, "gw_rejected": 1})


def test_series_keep_their_numbers_over_a_restart(tmp_path: Path) -> None:
    buffer = opened(tmp_path)
    put(buffer, (B, NOON, 1.0))
    put(buffer, (A, NOON, 1.0), (C, NOON, 1.0))
    buffer.close()
    again = opened(tmp_path)
    assert again.table.all == [B, A, C]
    put(again, (Series("bel", "s9", "no2"), NOON, 4.0), (A, NOON, 2.0))
    assert again.values_at(1, NOON) == {0: 2.0}
    assert again.values_at(3, NOON) == {0: 4.0}


def test_series_of_a_failed_transaction_are_saved_with_the_next_one(tmp_path: Path) -> None:
    buffer = opened(tmp_path)
    put(buffer, (A, NOON, 1.0))
    with suppress(KeyError), buffer.transaction():
        put(buffer, (B, NOON, 1.0))
        raise KeyError
    buffer.discard_unsaved_series()
    put(buffer, (C, NOON, 1.0))
    buffer.close()
    assert opened(tmp_path).table.all == [A, B, C]


def test_the_width_of_a_file_never_changes(tmp_path: Path) -> None:
    opened(tmp_path, 5 * MIN).close()
    assert opened(tmp_path, None).width == 5 * MIN
    assert opened(tmp_path, 5 * MIN).width == 5 * MIN
    with pytest.raises(UsageError, match=r"gateway\.db has windows of 300 s; use that width, or another file"):
        opened(tmp_path, MIN)
    assert Buffer(tmp_path / "new.db", None).width == MIN
    buffer = Buffer(tmp_path / "wide.db", 5 * MIN)
    put(buffer, (A, NOON + 7 * MIN, 1.0))
    assert outbox(buffer) == {(A, NOON + 5 * MIN): 1}


def test_which_of_many_readings_are_stored_is_one_question(tmp_path: Path) -> None:
    buffer = Buffer(tmp_path / "b.db", MIN)
    ids = [buffer.table.id_of(Series("aba", f"c{n}", "connected_time")) for n in range(3)]
    there = [(ids[0], 7, NOON), (ids[1], 7, NOON + 3 * MIN), (ids[1], 8, NOON)]
    series, key, t = zip(*there, strict=True)
    buffer.put(Readings.of(series, t, [60.0, 0.0, 1.0], key))
    lacking = [(ids[2], 7, NOON), (ids[0], 8, NOON), (ids[0], 7, NOON + MIN)]
    assert buffer.among_stored([lacking[0], *there, *lacking[1:]]) == there
    assert buffer.among_stored([]) == []
