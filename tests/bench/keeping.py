"""What deleting old windows and copying a store in use cost: `python -m tests.bench.keeping`."""

from __future__ import annotations

import argparse
import tempfile
import threading
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from adapters.sqlite.store import SqliteStore
from cityvitals.operation.backup import backup
from telemetry.windows import HOUR, MINUTE
from tests.bench.engine import START, city, hourly, rows

_SERIES = 500
_PAD = 100_000_000  # bytes


def deleting(folder: Path, windows: int) -> dict[str, Any]:
    """Bytes of this many windows, of half of them, and after VACUUM; the processor time of the deletion."""
    path, (_, table) = folder / "size.db", city(50, _SERIES - 50)
    store, minutes = SqliteStore(path), windows // _SERIES
    for start in range(0, minutes, 200):
        at = START + MINUTE * np.arange(start, start + 200)
        s, t = np.repeat(np.arange(_SERIES), 200), np.tile(at, _SERIES)
        value = np.asarray(20.0 + (t // MINUTE * 7 + s * 13) % 31, dtype=np.float64)
        store.put_partials("window", rows(s, t, value), table)

    def size() -> float:
        store._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return round(path.stat().st_size / 1e6, 1)

    row: dict[str, Any] = {"windows": windows, "MB": size()}
    end, at_, took = START + minutes // 2 * MINUTE, 0, []
    while at_ < end:
        began = time.process_time()
        at_ = store.delete_partials("c", "window", at_, end, 20_000)
        took.append(time.process_time() - began)
    row |= {"half deleted, MB": size(), "s": round(sum(took), 2), "longest piece, ms": round(1000 * max(took), 1)}
    store._db.execute("VACUUM")
    return row | {"after VACUUM, MB": size()}


def copying(folder: Path, size: int) -> dict[str, Any]:
    """A copy of a store of this many MB while another connection commits 200 windows every tenth of a second."""
    path, (_, table) = folder / "large.db", city(10, 190)
    first = SqliteStore(path)
    first._db.execute("CREATE TABLE pad (bytes)")
    for _ in range(size * 1_000_000 // _PAD):
        first._db.execute("INSERT INTO pad VALUES (randomblob(?))", (_PAD,))
    first.close()
    stop, commits = threading.Event(), list[tuple[float, float]]()

    def write() -> None:
        mine, hour = SqliteStore(path), 0
        while not stop.is_set():
            began, hour = time.perf_counter(), hour + 1
            mine.put_partials("window", hourly(np.arange(200), HOUR * (hour - 1), HOUR * hour), table)
            commits.append((began, time.perf_counter() - began))
            stop.wait(0.1)
        mine.close()

    thread = threading.Thread(target=write)
    thread.start()
    time.sleep(10)
    left: list[int] = []
    began = time.perf_counter()
    backup(path, folder / "copy.db", lambda done, pages: left.append(pages - done))
    wall = time.perf_counter() - began
    stop.set()
    thread.join()
    row: dict[str, Any] = {"MB": size, "copy, s": round(wall, 1), "begun again": sum(b > a for a, b in pairwise(left))}
    for name, inside in (("before", False), ("during", True)):
        times = [1000 * took for at, took in commits if (at >= began) == inside]
        row[f"commits {name}, ms p50, p99"] = [round(v) for v in np.percentile(times, [50, 99]).tolist()]
    return row


def main() -> None:
    """Print the rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--windows", type=int, default=1_000_000)
    parser.add_argument("--size", type=int, default=2_000, help="MB of the store that is copied")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        print(deleting(Path(name), given.windows), flush=True)
        print(copying(Path(name), given.size))


if __name__ == "__main__":
    main()
