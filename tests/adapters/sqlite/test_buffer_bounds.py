"""What the gateway's buffer deletes, in which order, and how much of it one device may use."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.sqlite.buffer import Buffer
from telemetry.series import Series
from tests.adapters.sqlite.buffers import MIN, NOON, A, B, C, opened, outbox, put, selected

HOUR = 3_600_000
ROOM = 1 << 40
A_HUMIDITY = Series("aba", "s1", "humidity")


@pytest.fixture
def buffer(tmp_path: Path) -> Buffer:
    return opened(tmp_path)


def hours(buffer: Buffer) -> list[int]:
    """The hours after NOON that have readings."""
    found = buffer.db.execute("SELECT DISTINCT window / 3600000 FROM every_reading ORDER BY 1").fetchall()
    return [h - NOON // HOUR for (h,) in found]


def three_hours(buffer: Buffer) -> None:
    """Two readings an hour, which arrived ten minutes after their time."""
    times = [NOON + h * HOUR + m * MIN for h in range(3) for m in (0, 30)]
    put(buffer, *((A, t, 1.0, 0, t + 10 * MIN, 0) for t in times))


def test_an_hour_is_deleted_when_all_of_it_was_sent_and_arrived_before_the_limit(buffer: Buffer) -> None:
    three_hours(buffer)
    buffer.confirm(selected(buffer))
    last_of_first_hour = NOON + 40 * MIN
    assert buffer.prune(last_of_first_hour, ROOM) == 0  # arrived at the limit, not before it
    assert buffer.pruned_before == 0
    assert buffer.prune(last_of_first_hour + 1, ROOM) == 2
    assert (hours(buffer), buffer.pruned_before) == ([1, 2], NOON + HOUR)
    assert buffer.prune(NOON + HOUR + 40 * MIN, ROOM) == 0
    assert buffer.prune(NOON + 3 * HOUR, ROOM) == 4
    assert (hours(buffer), buffer.pruned_before) == ([], NOON + 3 * HOUR)
    assert buffer.prune(NOON + 9 * HOUR, ROOM) == 0
    assert buffer.counters() == {}


def test_a_later_arrival_in_the_oldest_hour_is_noticed(buffer: Buffer) -> None:
    put(buffer, (A, NOON, 1.0, 0, NOON + 5, 0))
    buffer.confirm(selected(buffer))
    assert buffer.prune(NOON + 5, ROOM) == 0
    put(buffer, (A, NOON + 1, 1.0, 0, NOON + 100, 0))
    buffer.confirm(selected(buffer))
    assert buffer.prune(NOON + 50, ROOM) == 0
    assert buffer.prune(NOON + 101, ROOM) == 2


def test_a_late_arrival_in_an_hour_that_is_gone_does_not_keep_the_next_one(buffer: Buffer) -> None:
    put(buffer, (A, NOON, 1.0, 0, NOON + 90 * HOUR, 0), (A, NOON + HOUR, 1.0))
    buffer.confirm(selected(buffer))
    assert buffer.prune(NOON + 9 * HOUR, ROOM) == 0
    buffer.discard_before(NOON + HOUR)
    assert buffer.prune(NOON + 9 * HOUR, ROOM) == 1


def test_what_was_not_sent_stays_while_there_is_room(buffer: Buffer) -> None:
    three_hours(buffer)
    assert buffer.prune(NOON + 9 * HOUR, ROOM) == 0
    buffer.confirm(selected(buffer))
    put(buffer, (B, NOON + HOUR + 59 * MIN, 1.0))
    assert buffer.prune(NOON + 9 * HOUR, ROOM) == 2
    assert hours(buffer) == [1, 2]


def test_a_full_file_loses_its_oldest_hours_and_counts_what_was_never_sent(buffer: Buffer) -> None:
    three_hours(buffer)
    assert buffer.prune(0, 0) == 4
    assert hours(buffer) == [2]  # without the newest hour each live reading would be rejected
    assert buffer.counters() == {"gw_dropped": 4}
    assert sorted(outbox(buffer)) == [(A, NOON + 2 * HOUR), (A, NOON + 2 * HOUR + 30 * MIN)]
    assert buffer.prune(0, 0) == 0


def test_the_first_minute_of_an_hour_makes_the_hour_before_deletable(buffer: Buffer) -> None:
    put(buffer, (A, NOON + 59 * MIN, 1.0), (A, NOON + HOUR, 1.0))
    assert buffer.prune(0, 0) == 1
    assert hours(buffer) == [1]


def test_rejects_do_not_count_towards_the_size_of_readings(buffer: Buffer) -> None:
    three_hours(buffer)
    buffer.rejects.add([(NOON, "a/topic", b"x" * 5000, "not readable")])
    pages, free, size = (
        buffer.db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
    )
    used = pages * size - free * size
    assert buffer.used_bytes() == used
    [kept] = buffer.db.execute("SELECT bytes FROM reject_total").fetchone()
    assert kept > 5000
    assert buffer.prune(0, used - kept) == 0  # exactly as large as it may be
    assert buffer.prune(0, used - kept - 1) == 4


def test_pages_that_were_freed_are_not_in_use(buffer: Buffer) -> None:
    put(buffer, *((A, NOON + i, 1.0) for i in range(4000)), (A, NOON + HOUR, 1.0))
    full = buffer.used_bytes()
    buffer.confirm(selected(buffer))
    buffer.prune(NOON + HOUR, ROOM)
    [free] = buffer.db.execute("PRAGMA freelist_count").fetchone()
    [size] = buffer.db.execute("PRAGMA page_size").fetchone()
    assert free > 10
    assert buffer.used_bytes() <= full - free * size + 2 * size


def test_time_that_is_given_up_is_deleted_whether_it_was_sent_or_not(tmp_path: Path) -> None:
    buffer = opened(tmp_path)
    three_hours(buffer)
    put(buffer, (B, NOON, 1.0))
    buffer.discard_before(NOON + HOUR)
    assert (hours(buffer), buffer.counters()) == ([1, 2], {"gw_dropped": 3})
    buffer.discard_before(NOON + MIN)  # already
    assert buffer.pruned_before == NOON + HOUR
    buffer.close()
    assert opened(tmp_path).pruned_before == NOON + HOUR


def test_a_device_holds_an_eighth_of_the_file_at_64_bytes_a_reading(tmp_path: Path) -> None:
    buffer = opened(tmp_path)
    assert ("aba", "s1") not in buffer.held.full
    buffer.limit(8 * 64 * 1500)
    put(buffer, *((A, NOON + i, 1.0) for i in range(1000)))
    put(buffer, *((A_HUMIDITY, NOON + i, 50.0) for i in range(499)), (B, NOON, 1.0), (C, NOON, 1.0))
    assert ("aba", "s1") not in buffer.held.full
    put(buffer, *((A, NOON + i, 1.0) for i in range(1000)))  # redelivered: nothing new
    assert ("aba", "s1") not in buffer.held.full
    put(buffer, (A, NOON + 5000, 1.0))
    assert ("aba", "s1") in buffer.held.full
    assert ("aba", "s2") not in buffer.held.full
    assert ("bel", "s1") not in buffer.held.full


def test_a_small_file_leaves_each_device_a_thousand_readings(buffer: Buffer) -> None:
    buffer.limit(1 << 10)
    put(buffer, *((A, NOON + i, 1.0) for i in range(999)))
    assert ("aba", "s1") not in buffer.held.full
    put(buffer, (A, NOON + 1000, 1.0))
    assert ("aba", "s1") in buffer.held.full


def test_the_share_of_a_batch_that_is_new_is_counted(buffer: Buffer) -> None:
    buffer.limit(1 << 10)
    put(buffer, *((A, NOON + i, 1.0) for i in range(600)))
    put(buffer, *((A, NOON + i, 1.0) for i in range(200, 999)))  # 399 of 799 are new
    assert ("aba", "s1") not in buffer.held.full
    put(buffer, (A, NOON + 999, 1.0))
    assert ("aba", "s1") in buffer.held.full


def test_counts_of_devices_are_saved_and_fall_with_what_is_deleted(tmp_path: Path) -> None:
    buffer = opened(tmp_path)
    put(buffer, *((A, NOON + i, 1.0) for i in range(1000)), (B, NOON, 1.0), (A, NOON + HOUR, 1.0))
    buffer.save_held()
    buffer.close()
    again = opened(tmp_path)
    again.limit(1 << 10)
    assert ("aba", "s1") in again.held.full
    held = "SELECT city, device, rows FROM held ORDER BY device"
    assert again.db.execute(held).fetchall() == [("aba", "s1", 1001), ("aba", "s2", 1)]
    again.discard_before(NOON + HOUR)
    assert ("aba", "s1") not in again.held.full
    again.save_held()
    assert again.db.execute(held).fetchall() == [("aba", "s1", 1), ("aba", "s2", 0)]


def test_a_count_that_was_lost_in_a_crash_never_falls_below_zero(tmp_path: Path) -> None:
    put(opened(tmp_path), (A, NOON, 1.0))  # the count is not saved
    again = opened(tmp_path)
    again.discard_before(NOON + HOUR)
    again.save_held()
    assert again.db.execute("SELECT rows FROM held").fetchall() == [(0,)]


@pytest.mark.parametrize(("max_bytes", "kept"), [(1 << 20, 1 << 17), (1 << 40, 1 << 26)])
def test_rejects_hold_an_eighth_of_the_file_and_64_mib_at_most(
    buffer: Buffer, max_bytes: int, kept: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits: list[int] = []
    monkeypatch.setattr(buffer.rejects, "limit", limits.append)
    buffer.limit(max_bytes)
    assert limits == [kept]
