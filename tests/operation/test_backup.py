"""Copies of files in use, and what is put back."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest

from adapters.buffer import Buffer
from cityvitals.backup import backup, restore
from cityvitals.recover import only_one
from telemetry.errors import CityVitalsError, UsageError
from telemetry.readings import Readings
from telemetry.series import Series
from telemetry.windows import MINUTE


def write(buffer: Buffer, first: int, count: int) -> None:
    series = buffer.table.id_of(Series("aba", "s1", "no2"))
    times = range(first, first + count)
    buffer.put(Readings.of([series] * count, [t * 1000 for t in times], [1.0] * count))


def held(path: Path) -> int:
    buffer = Buffer(path, None)
    count = int(buffer.db.execute("SELECT count(*) FROM reading").fetchone()[0])
    buffer.close()
    return count


def test_a_copy_of_a_file_in_use_is_one_moment_of_it(tmp_path: Path) -> None:
    path, copy = tmp_path / "gateway.db", tmp_path / "copy.db"
    buffer = Buffer(path, MINUTE)
    write(buffer, 0, 20_000)
    done, stop = threading.Event(), threading.Event()
    failures: list[Exception] = []

    def go_on() -> None:
        mine = Buffer(path, MINUTE)
        at = 20_000
        try:
            while not stop.is_set():
                write(mine, at, 100)
                at += 100
                done.set()
        except Exception as error:  # noqa: BLE001 - shown by the test
            failures.append(error)
        mine.close()

    writer = threading.Thread(target=go_on)
    writer.start()
    assert done.wait(20)
    size = backup(path, copy)
    stop.set()
    writer.join(30)
    assert not failures
    assert size == copy.stat().st_size
    found = held(copy)
    assert found >= 20_000
    assert found % 100 == 0  # no transaction is cut in two
    assert held(path) >= found


def test_what_was_put_back_is_what_was_copied_and_the_other_is_kept(tmp_path: Path) -> None:
    path, copy = tmp_path / "gateway.db", tmp_path / "copy.db"
    buffer = Buffer(path, MINUTE)
    write(buffer, 0, 10)
    backup(path, copy)
    write(buffer, 10, 5)
    buffer.close()
    restore(copy, path)
    assert held(path) == 10
    assert held(tmp_path / "gateway.db.before-restore") == 15


def test_a_file_in_use_is_not_replaced(tmp_path: Path) -> None:
    path, copy = tmp_path / "gateway.db", tmp_path / "copy.db"
    Buffer(path, MINUTE).close()
    backup(path, copy)
    with only_one(path), pytest.raises(CityVitalsError, match="Stop the gateway first"):
        restore(copy, path)


def test_a_bad_copy_never_gets_the_name_of_a_good_one(tmp_path: Path) -> None:
    path, copy = tmp_path / "gateway.db", tmp_path / "copy.db"
    buffer = Buffer(path, MINUTE)
    write(buffer, 0, 20_000)
    backup(path, copy)
    buffer.close()
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2 // 4096 * 4096)
        file.write(b"\xa5" * 4096)
    with pytest.raises(CityVitalsError, match=r"damaged|cannot be copied"):
        backup(path, copy)
    assert held(copy) == 20_000
    with pytest.raises(UsageError, match="no file"):
        backup(tmp_path / "missing.db", copy)
    with pytest.raises(CityVitalsError, match=r"damaged|cannot be copied"):
        restore(path, copy)
    assert held(copy) == 20_000
    assert sqlite3.connect(copy).execute("PRAGMA quick_check").fetchone()[0] == "ok"
