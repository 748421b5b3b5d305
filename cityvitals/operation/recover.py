"""A damaged gateway buffer is set aside and the gateway continues; `cityvitals recover` restores the readings in it.

Until then the new buffer does not send windows of the past: their earlier readings are in the old file, and a window
folded without them would replace a more complete one in the store.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from adapters.sqlite.buffer import Buffer
from adapters.sqlite.connection import Damaged, set_aside
from adapters.sqlite.connection import rows as rows_of
from adapters.sqlite.ledger import Entry
from adapters.sqlite.rejects import Rejects
from adapters.sqlite.salvage import Salvage
from registry import secret_files
from telemetry.errors import CityVitalsError, UsageError, cause
from telemetry.ranges import Ranges
from telemetry.readings import Readings
from telemetry.series import Series

log = logging.getLogger(__name__)

_CHUNK = 20_000


@contextmanager
def only_one(path: Path, advice: str = "Stop the gateway first, or wait for the replay.") -> Iterator[None]:
    """Hold the lock of a process's own file. Raises CityVitalsError, with `advice`, where another process holds it."""
    lock = path.with_name(f"{path.name}.lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = lock.open("w")
        secret_files.as_of(lock, path.parent)
    except OSError as error:
        raise CityVitalsError(
            f"{path} cannot be written: {cause(error)}. Check the path, its permissions and the disk."
        ) from None
    with file:
        if sys.platform != "win32":  # where the platform has no such lock, nothing is checked
            import fcntl  # noqa: PLC0415

            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise CityVitalsError(f"Another process writes to {path}. {advice}") from None
        yield


def sound_buffer(path: Path, width: int, now: int) -> Buffer:
    """The buffer; a damaged file is set aside and a new one created. `now`: ms UTC."""
    try:
        buffer = Buffer(path, width)
    except Damaged as error:
        put_aside(path, error)
        buffer = Buffer(path, width)
    if not buffer.send_from and any(path.parent.glob(f"{path.name}.damaged-*")) and not buffer.counters():
        buffer.set_send_from(now // width * width + width)
    return buffer


def sound_rejects(path: Path, cities: Iterable[str]) -> Rejects:
    """Ingest's rejects; a damaged file is set renamed and a new one created.

    The file also lists cities whose KPIs are not derived yet: with a new file, those of all `cities` are derived.
    """
    try:
        rejects = Rejects.open(path)
        if (verdict := rows_of(rejects.db, "PRAGMA quick_check(1)")[0][0]) != "ok":
            rejects.db.close()
            raise Damaged(f"{path} is damaged: {verdict}.")
    except Damaged as error:
        renamed = set_aside(path, f"{datetime.now(UTC):%Y%m%dT%H%M%S}")
        log.error(
            "%s It was set renamed as %s and a new one was created; earlier rejects are in the old file.",
            error,
            renamed,
        )
        rejects = Rejects.open(path)
        rejects.mark_underived(cities)
    return rejects


def put_aside(path: Path, error: Exception) -> Path:
    """Set a damaged buffer renamed and log what to do."""
    renamed = set_aside(path, f"{datetime.now(UTC):%Y%m%dT%H%M%S}")
    log.error(
        "%s It was set renamed as %s and a new buffer was created; earlier readings are in the old file."
        " Stop the gateway and run: cityvitals recover %s --buffer %s", error, renamed, renamed, path,
    )  # fmt: skip
    return renamed


def recover(old: Path, new: Path, progress: Callable[[int], None]) -> tuple[int, int]:
    """Copy what is readable of `old` into the buffer `new`, which must not be in use; (readings found, of them
    new).

    Earlier windows are not sent while another file that was set aside is not recovered.
    """
    for path, what in ((old, "file"), (new, "buffer file")):
        if not path.is_file():
            raise UsageError(f"There is no {what} {path}.")
    readings_found = added = 0
    with only_one(new):
        if old.samefile(new):
            raise UsageError(f"{old} and {new} are the same file; name the one that was set aside first.")
        buffer = Buffer(new, None)
        source = Salvage(old)
        named = (row for row in source.rows("buffer_series", "id") if all(isinstance(name, str) for name in row[1:]))
        ids = {row[0]: buffer.table.id_of(Series(*row[1:])) for row in named}
        rows: list[Any] = []
        for row in chain(source.rows("reading", "window, series, t, key"), source.of_blocks()):
            if row[1] in ids:
                rows.append(row)
            if len(rows) == _CHUNK:
                readings_found, added = readings_found + len(rows), added + _put(buffer, ids, rows)
                progress(len(rows))
                rows = []
        readings_found, added = readings_found + len(rows), added + _put(buffer, ids, rows)
        # Windows whose readings the old file had deleted cannot be folded here either.
        buffer.discard_before(next((row[1] for row in source.rows("meta", "key") if row[0] == "pruned_before"), 0))
        _ledger(buffer, [Entry(*row) for row in source.rows("ledger", "city, device, boot")])
        _undated(buffer, source.rows("undated", "city, device, boot"))
        source.close()
        if not ids and not _was_set_aside(old, new):
            raise CityVitalsError(f"{old} does not contain readings of a gateway; give the file that was set aside.")
        _retire(old, new)
        if not damaged_files(new):
            buffer.set_send_from(0)
        buffer.close()
    return readings_found, added


def _was_set_aside(old: Path, new: Path) -> bool:
    return any(old.samefile(path) for path in damaged_files(new))


def _retire(old: Path, new: Path) -> None:
    """Rename a recovered file, so that it is not reported any longer."""
    if _was_set_aside(old, new):
        for suffix in ("", "-wal", "-shm"):
            part = old.with_name(old.name + suffix)
            if part.exists():
                part.rename(old.with_name(part.name.replace(".damaged-", ".recovered-")))


def _put(buffer: Buffer, ids: dict[int, int], rows: list[Any]) -> int:
    if not rows:
        return 0
    columns = np.array([row[1:4] + row[5:] for row in rows], dtype=np.int64)
    value = np.array([row[4] for row in rows], dtype=np.float64)
    series = np.array([ids[i] for i in columns[:, 0].tolist()], dtype=np.int64)
    return buffer.put(Readings(series, columns[:, 1], value, columns[:, 2], columns[:, 3], columns[:, 4]))


def _ledger(buffer: Buffer, entries: list[Entry]) -> None:
    """Merge the old ledger into the new one: a record that either has seen has arrived."""
    with buffer.transaction():
        for old in entries:
            now = buffer.ledger.get(old.city, old.device, old.boot)
            if now is None:
                buffer.ledger.put([old])
                continue
            seen = Ranges(old.seen)
            seen.add_all(Ranges(now.seen))
            end = max(seen.end, old.start + old.sent - 1, now.start + now.sent - 1)
            missing = sum(b - a + 1 for a, b in seen.gaps(old.start)) + end - max(seen.end, old.start - 1)
            merged = old._replace(
                seen=str(seen),
                received=seen.count - old.given_up,
                duplicate=old.duplicate + now.duplicate,
                refused=old.refused + now.refused,
                recovered=old.recovered + now.recovered,
                missing=missing + old.given_up,
                changed=max(old.changed, now.changed),
                sent=end + 1 - old.start,
            )
            buffer.ledger.put([merged])


def _undated(buffer: Buffer, rows: Iterable[tuple[str, str, int, str]]) -> None:
    """Merge the records with an estimated time."""
    known = buffer.ledger.undated()
    merged = []
    for city, device, boot, text in rows:
        seqs = Ranges(text)
        seqs.add_all(Ranges(known.get((city, device, boot), "")))
        merged.append((city, device, boot, str(seqs)))
    with buffer.transaction():
        buffer.ledger.put_undated(merged)


def damaged_files(buffer: Path) -> list[Path]:
    """Files that were set aside and are not recovered yet."""
    found = buffer.parent.glob(f"{buffer.name}.damaged-*")
    return sorted(p for p in found if not p.name.endswith(("-wal", "-shm")))
