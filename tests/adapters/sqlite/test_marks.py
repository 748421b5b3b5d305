"""A window is marked once between two reads of the outbox, and never missed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.sqlite.buffer import Buffer
from telemetry.readings import Readings
from telemetry.series import Series

START = 1_700_000_040_000  # of a window of a minute


@pytest.fixture
def buffer(tmp_path: Path) -> Iterator[Buffer]:
    made = Buffer(tmp_path / "b.db", 60_000)
    made.table.id_of(Series("a", "d", "no2"))
    yield made
    made.close()


def put(buffer: Buffer, *seconds: int) -> None:
    buffer.put(Readings.of([0] * len(seconds), [START + 1000 * s for s in seconds], [float(s) for s in seconds]))


def waiting(buffer: Buffer) -> list[tuple[int, int]]:
    """Start and generation of each dirty window, without reading the outbox."""
    return buffer.db.execute("SELECT window, generation FROM dirty WHERE message = 0 ORDER BY window").fetchall()


def test_readings_of_a_window_that_waits_change_no_mark(buffer: Buffer) -> None:
    put(buffer, 1)
    put(buffer, 2)
    put(buffer, 3, 60)
    assert waiting(buffer) == [(START, 1), (START + 60_000, 1)]


def test_a_reading_after_the_outbox_was_read_keeps_the_window_dirty(buffer: Buffer) -> None:
    put(buffer, 1)
    before, _ = buffer.dirty(10)
    put(buffer, 2)
    buffer.confirm(before)
    assert waiting(buffer) == [(START, 2)]
    assert buffer.dirty(10)[1].value.tolist() == [1.0, 2.0]


def test_a_window_in_flight_is_marked_by_its_next_reading(buffer: Buffer) -> None:
    put(buffer, 1)
    sent, _ = buffer.dirty(10)
    buffer.assign_messages(sent, sent.window * 0 + 7)
    put(buffer, 2)
    buffer.confirm_messages("a", [7])
    assert waiting(buffer) == [(START, 2)]


def test_a_mark_of_a_transaction_that_failed_is_set_by_the_next(buffer: Buffer) -> None:
    def fail() -> None:
        with buffer.transaction():
            put(buffer, 1)
            raise OSError("full")

    with pytest.raises(OSError, match="full"):
        fail()
    buffer.discard_unsaved_series()
    put(buffer, 1)
    assert waiting(buffer) == [(START, 1)]


def test_marks_that_another_program_removed_are_set_again(buffer: Buffer) -> None:
    put(buffer, 1)
    with sqlite3.connect(buffer.path) as other:
        other.execute("DELETE FROM dirty")
    other.close()
    put(buffer, 2)
    assert waiting(buffer) == [(START, 1)]


def test_windows_of_a_series_that_alternate_are_all_dirty(buffer: Buffer) -> None:
    for second in (1, 61, 2, 62):
        put(buffer, second)
    assert [window for window, _ in waiting(buffer)] == [START, START + 60_000]


def test_a_window_that_was_deleted_is_marked_by_its_next_reading(buffer: Buffer) -> None:
    put(buffer, 1)
    buffer.discard_before(START + 60_000)
    assert waiting(buffer) == []
    put(buffer, 1)
    assert waiting(buffer) == [(START, 1)]
