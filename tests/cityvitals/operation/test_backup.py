"""Copies of files in use, and what is put back."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from adapters.sqlite.buffer import Buffer
from adapters.sqlite.store import SqliteStore
from cityvitals.operation.backup import backup, restore
from cityvitals.operation.recover import only_one
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
    count = int(buffer.db.execute("SELECT count(*) FROM every_reading").fetchone()[0])
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


def test_commits_during_a_copy_do_not_make_it_begin_again(tmp_path: Path) -> None:
    path, left = tmp_path / "gateway.db", list[int]()
    buffer = Buffer(path, MINUTE)
    buffer.db.execute("CREATE TABLE large (bytes)")
    buffer.db.execute("INSERT INTO large VALUES (zeroblob(33000000))")  # four steps of a copy

    def progress(done: int, pages: int) -> None:
        left.append(pages - done)
        assert left == sorted(left, reverse=True)
        write(buffer, len(left), 1)

    backup(path, tmp_path / "copy.db", progress)
    assert len(left) > 3
    buffer.close()


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


@contextmanager
def another_process_with(path: Path) -> Iterator[None]:
    """A process that has the store open, as ingest and API have."""
    program = "import sys; from pathlib import Path; from adapters.sqlite.store import SqliteStore\n"
    program += "store = SqliteStore(Path(sys.argv[1])); print('open', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", program, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline() == "open\n"
        yield
        process.stdin.close()


def test_a_store_that_a_process_has_open_is_neither_written_over_nor_replaced(tmp_path: Path) -> None:
    path, copy = tmp_path / "store.db", tmp_path / "copy.db"
    SqliteStore(path).close()
    backup(path, copy)
    with another_process_with(path):
        with pytest.raises(CityVitalsError, match="Stop gateway, ingest and API first"):
            restore(copy, path)
        with pytest.raises(UsageError, match="is a database in use"):
            backup(copy, path)
        backup(path, copy)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["copy.db", "store.db", "store.db.lock"]
    restore(copy, path)


def test_a_copy_does_not_take_the_place_of_a_file_with_a_journal(tmp_path: Path) -> None:
    """SQLite would play the journal of the old file into the new one."""
    path, copy = tmp_path / "gateway.db", tmp_path / "copy.db"
    Buffer(path, MINUTE).close()
    backup(path, copy)
    (tmp_path / "gateway.db-wal").write_bytes(b"left by a power cut")
    with pytest.raises(UsageError, match="cityvitals restore"):
        backup(copy, path)
    restore(copy, path)
    assert not (tmp_path / "gateway.db-wal").exists()
    assert (tmp_path / "gateway.db.before-restore-wal").exists()


def test_what_was_there_before_is_kept_each_time(tmp_path: Path) -> None:
    path, copy = tmp_path / "gateway.db", tmp_path / "copy.db"
    buffer = Buffer(path, MINUTE)
    write(buffer, 0, 3)
    buffer.close()
    backup(path, copy)
    names = []
    for _ in range(3):
        _, kept = restore(copy, path)
        assert kept is not None
        names.append(kept.name.removeprefix("gateway.db."))
    assert names == ["before-restore", "before-restore-2", "before-restore-3"]
    path.unlink()
    assert restore(copy, path)[1] is None


def test_a_copy_is_as_private_as_the_file_and_what_is_put_back_belongs_to_whom_it_belonged(tmp_path: Path) -> None:
    path, copy = tmp_path / "gateway.db", tmp_path / "copy.db"
    Buffer(path, MINUTE).close()
    path.chmod(0o600)
    backup(path, copy)
    assert oct(copy.stat().st_mode & 0o777) == "0o600"
    owner = 12_345 if os.geteuid() == 0 else os.geteuid()
    os.chown(path, owner, -1)
    copy.chmod(0o644)
    restore(copy, path)
    assert (path.stat().st_uid, oct(path.stat().st_mode & 0o777)) == (owner, "0o600")


def test_nothing_is_left_of_a_copy_that_failed(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no database" * 1000)
    with pytest.raises(CityVitalsError, match="cannot be copied"):
        backup(tmp_path / "text", tmp_path / "copy.db")
    assert [p.name for p in tmp_path.iterdir()] == ["text"]


@pytest.mark.parametrize("name", ["späte daten.db", "copy #1.db", "what?.db", "100%41.db"])
def test_a_file_of_any_name_is_copied_whole(tmp_path: Path, name: str) -> None:
    path, copy = tmp_path / name, tmp_path / f"copy of {name}"
    buffer = Buffer(path, MINUTE)
    write(buffer, 0, 7)
    buffer.close()
    backup(path, copy)
    assert held(copy) == 7


def test_a_copy_that_is_reported_leaves_standard_output_to_the_result(tmp_path: Path) -> None:
    Buffer(tmp_path / "gateway.db", MINUTE).close()
    command = [sys.executable, "-m", "cityvitals", "backup", "gateway.db", "copy.db"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    size = (tmp_path / "copy.db").stat().st_size
    assert done.stdout == f"copy.db: {size:,} bytes, checked.\n"
