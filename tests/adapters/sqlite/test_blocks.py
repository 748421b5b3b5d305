"""Readings that are dated by their arrival: stored together, read like all others."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from adapters.sqlite import blocks
from adapters.sqlite.blocks import readable
from adapters.sqlite.buffer import Buffer
from adapters.sqlite.connection import Damaged
from adapters.sqlite.salvage import Salvage
from telemetry.errors import Unavailable
from tests.adapters.sqlite.buffers import MIN, NOON, A, B, C, Row, opened, outbox, put, put_arrived, selected, to_send

HOUR = 3_600_000
KEY = 1 << 20


@pytest.fixture
def buffer(tmp_path: Path) -> Buffer:
    return opened(tmp_path)


def whole(*rows: Row) -> list[Row]:
    """The rows with arrival and flag."""
    return sorted((*row, row[1], 0) for row in rows)


def blocks_of(buffer: Buffer) -> int:
    return int(buffer.db.execute("SELECT count(*) FROM block").fetchone()[0])


def test_a_batch_is_one_row_and_its_windows_are_sent_with_all_their_readings(buffer: Buffer) -> None:
    first = [(A, NOON + 1, 1.5, KEY), (B, NOON + 1, 2.5, KEY), (A, NOON + 1, 3.5, 2 * KEY)]
    assert put_arrived(buffer, *first) == 3
    assert (blocks_of(buffer), buffer.rows()) == (1, 3)
    assert outbox(buffer) == {(A, NOON): 1, (B, NOON): 1}
    put(buffer, (A, NOON + 2, 9.0, 0), (C, NOON, 7.0, 0))
    more = (B, NOON + 4, 4.5, 3 * KEY)
    put_arrived(buffer, more)
    assert to_send(buffer) == whole(*first, more, (A, NOON + 2, 9.0, 0), (C, NOON, 7.0, 0))
    assert to_send(buffer, city="bel") == whole((C, NOON, 7.0, 0))
    assert outbox(buffer) == {(A, NOON): 2, (B, NOON): 2, (C, NOON): 1}
    buffer.confirm(selected(buffer))
    assert to_send(buffer) == []


def test_a_batch_of_both_kinds_marks_each_window_once(buffer: Buffer) -> None:
    plain = [(A, NOON - HOUR, 1.0, 0), (A, NOON + 1, 1.0, 0)]
    assert put_arrived(buffer, (A, NOON + 5, 2.0, KEY), (B, NOON + 5, 2.0, KEY), plain=plain) == 4
    assert outbox(buffer) == {(A, NOON - HOUR): 1, (A, NOON): 1, (B, NOON): 1}
    assert put_arrived(buffer, (A, NOON + 5, 2.0, 2 * KEY), plain=plain) == 1
    assert buffer.rows() == 5


def test_a_batch_around_the_end_of_a_window_is_divided(buffer: Buffer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "_MOST", 3)
    monkeypatch.setattr(blocks, "_TOGETHER", 60)
    rows = [(series, NOON + MIN + n, float(n), n * KEY) for n in range(-4, 5) for series in (A, B)]
    put_arrived(buffer, *rows)
    assert outbox(buffer) == {(s, NOON + place): 1 for s in (A, B) for place in (0, MIN)}
    assert to_send(buffer) == whole(*rows)
    assert to_send(buffer, 2, newest_first=False) == whole(*(row for row in rows if row[1] < NOON + MIN))


def test_what_sql_shows_is_exactly_what_was_stored(buffer: Buffer) -> None:
    rng = random.Random(1)
    values = [rng.uniform(-1, 1) * 10.0 ** rng.randrange(-300, 300) for _ in range(500)] + [-0.0, 5e-324, 0.1 + 0.2]
    put_arrived(buffer, *((A, NOON + n, value, n + KEY) for n, value in enumerate(values)))
    put(buffer, (B, NOON, 4.0))
    with closing(readable(sqlite3.connect(buffer.path))) as db:
        found = db.execute("SELECT window, series, t, key, value, arrival, flag FROM every_reading").fetchall()
    (_, *rest) = found
    assert found[0] == (NOON, buffer.table.id_of(B), NOON, 0, 4.0, NOON, 0)
    assert [(*row[:4], row[4].hex(), *row[5:]) for row in rest] == [
        (NOON, 0, NOON + n, n + KEY, value.hex(), NOON + n, 0) for n, value in enumerate(values)
    ]
    shown = buffer.series_readings(A, NOON + 3, NOON + 5)
    assert (shown.t.tolist(), shown.value.tolist()) == ([NOON + 3, NOON + 4], values[3:5])


def test_blocks_are_deleted_with_their_hour_and_not_before_they_were_sent(buffer: Buffer) -> None:
    put_arrived(buffer, (A, NOON + 1, 1.0, KEY), (B, NOON + 1, 1.0, KEY))
    put_arrived(buffer, (A, NOON + HOUR, 1.0, 2 * KEY))
    room = 1 << 40
    assert buffer.prune(NOON + 9 * HOUR, room) == 0
    buffer.confirm(selected(buffer))
    assert buffer.prune(NOON + 1, room) == 0  # arrived at the limit, not before it
    assert buffer.prune(NOON + 2, room) == 2
    assert (buffer.rows(), buffer.pruned_before) == (1, NOON + HOUR)
    assert buffer.held._rows.tolist() == [1, 0]
    assert buffer.prune(NOON + 9 * HOUR, room) == 1
    assert buffer.rows() == 0


def test_the_oldest_hour_of_a_full_file_is_dropped_and_the_newest_stays(buffer: Buffer) -> None:
    for hour in range(3):
        put_arrived(buffer, (A, NOON + hour * HOUR, 1.0, (hour + 1) * KEY))
    assert buffer.prune(0, 0) == 2
    assert buffer.counters() == {"gw_dropped": 2}
    assert (buffer.held_window("min"), buffer.held_window("max")) == (NOON + 2 * HOUR, NOON + 2 * HOUR)


def test_all_windows_of_blocks_can_be_sent_a_second_time(buffer: Buffer) -> None:
    rows = [(A, NOON + 1, 1.0, KEY), (B, NOON + MIN, 2.0, 2 * KEY)]
    put_arrived(buffer, *rows)
    buffer.confirm(selected(buffer))
    buffer.mark_all_dirty()
    assert to_send(buffer) == whole(*rows)


def test_one_device_leaves_and_the_readings_of_others_stay(buffer: Buffer) -> None:
    put_arrived(buffer, (A, NOON + 1, 1.0, KEY), (B, NOON + 1, 2.0, KEY), (A, NOON + 1, 3.0, 2 * KEY))
    put_arrived(buffer, (A, NOON + 2, 4.0, 3 * KEY))
    with buffer.transaction():
        gone = buffer.blocks.delete_series(np.array([buffer.table.id_of(A), buffer.table.id_of(C)]))
    assert gone == {buffer.table.id_of(A): 3}
    assert to_send(buffer) == whole((B, NOON + 1, 2.0, KEY))
    put_arrived(buffer, (A, NOON + 9, 5.0, 4 * KEY))
    assert to_send(buffer) == whole((A, NOON + 9, 5.0, 4 * KEY), (B, NOON + 1, 2.0, KEY))


def test_a_device_that_could_not_leave_keeps_its_readings(buffer: Buffer) -> None:
    rows = [(A, NOON + 1, 1.0, KEY), (B, NOON + 1, 2.0, KEY)]
    put_arrived(buffer, *rows)

    def leave() -> None:
        with buffer.transaction():
            buffer.blocks.delete_series(np.array([buffer.table.id_of(A)]))
            raise Unavailable("the disk is full")

    with pytest.raises(Unavailable):
        leave()
    assert to_send(buffer) == whole(*rows)


def fail_after(buffer: Buffer, row: Row) -> None:
    with buffer.transaction():
        put_arrived(buffer, row)
        raise Unavailable("the disk is full")


def test_a_batch_that_failed_leaves_nothing_behind(buffer: Buffer, tmp_path: Path) -> None:
    put_arrived(buffer, (B, NOON, 1.0, KEY))
    with pytest.raises(Unavailable):
        fail_after(buffer, (A, NOON + 1, 1.0, 2 * KEY))
    buffer.discard_unsaved_series()
    put_arrived(buffer, (A, NOON + 2, 2.0, 3 * KEY))
    buffer.close()
    assert to_send(opened(tmp_path)) == whole((A, NOON + 2, 2.0, 3 * KEY), (B, NOON, 1.0, KEY))


def test_a_changed_block_is_reported_and_the_others_are_recovered(buffer: Buffer) -> None:
    put_arrived(buffer, (A, NOON, 1.0, KEY))
    put_arrived(buffer, (A, NOON + 1, 2.0, 2 * KEY))
    (good,) = buffer.db.execute("SELECT readings FROM block WHERE number = 1").fetchone()
    bad = bytes([good[0] ^ 1, *good[1:]])
    buffer.db.execute("UPDATE block SET readings = ? WHERE number = 1", (bad,))
    with pytest.raises(Damaged):
        buffer.dirty(10)
    buffer.close()
    source = Salvage(buffer.path)
    assert list(source.of_blocks()) == [(NOON, 0, NOON + 1, 2 * KEY, 2.0, NOON + 1, 0)]
    source.close()
