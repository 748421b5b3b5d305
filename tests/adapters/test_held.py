"""One device cannot use up the buffer: its readings are counted, over deletions and restarts."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from adapters.sqlite.buffer import Buffer
from telemetry.readings import Readings
from telemetry.series import Series
from telemetry.windows import HOUR, MINUTE

_SHARE = 1000  # of the smallest limit


def put(buffer: Buffer, device: str, quantity: str, start: int, count: int) -> None:
    series = buffer.table.id_of(Series("aba", device, quantity))
    t = start + 1000 * np.arange(count)
    buffer.put(Readings.of(np.full(count, series), t, np.ones(count)))


def test_a_device_is_full_with_the_readings_of_all_its_quantities(tmp_path: Path) -> None:
    buffer = Buffer(tmp_path / "a.db", MINUTE)
    buffer.limit(0)
    put(buffer, "one", "no2", 0, _SHARE - 400)
    put(buffer, "two", "no2", 0, _SHARE - 1)
    put(buffer, "one", "no2", 0, _SHARE - 400)  # the same readings count once
    assert buffer.held.full == set()
    put(buffer, "one", "o3", 0, 400)
    assert buffer.held.full == {("aba", "one")}


def test_counts_outlive_a_restart_and_deleted_readings_leave_room(tmp_path: Path) -> None:
    buffer = Buffer(tmp_path / "a.db", MINUTE)
    put(buffer, "one", "no2", 0, 600)
    put(buffer, "one", "o3", 2 * HOUR, 500)
    buffer.save_held()
    buffer.close()
    buffer = Buffer(tmp_path / "a.db", MINUTE)
    buffer.limit(0)
    assert buffer.held.full == {("aba", "one")}
    buffer.discard_before(HOUR)
    assert buffer.held.full == set()
    put(buffer, "new", "no2", 2 * HOUR, _SHARE)
    assert buffer.held.full == {("aba", "new")}


def test_of_two_values_of_one_reading_in_a_batch_the_later_one_holds(tmp_path: Path) -> None:
    buffer = Buffer(tmp_path / "a.db", MINUTE)
    series = [buffer.table.id_of(Series("aba", "one", q)) for q in ("no2", "o3")]
    buffer.put(Readings.of([series[1], series[0], series[1]], [9, 9, 9], [1.0, 2.0, 3.0]))
    assert buffer.values_at(series[1], 9) == {0: 3.0}
    assert buffer.values_at(series[0], 9) == {0: 2.0}
