"""Devices that move from one gateway's buffer to another's: what the buffer holds of them, and how far a move is.

`copy` leaves the source as it is and may be repeated, `leave` ends the move of one buffer in one transaction, so that
a move that was interrupted is continued where it stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from hashlib import blake2b
from typing import Any

import numpy as np

from adapters.sqlite.buffer import Buffer
from adapters.sqlite.connection import rows
from adapters.sqlite.ledger import Asked, Entry
from adapters.sqlite.rejects import RejectedMessage
from telemetry.errors import Unavailable
from telemetry.readings import Readings
from telemetry.windows import window_start

COPYING, COPIED = 1, 2
_CHUNK = 50_000
Device = tuple[str, str]  # city and id


def share_of(buffer: Buffer) -> tuple[int, int] | None:
    """Which part of how many the buffer was filled as; (0, n): none any more; None: it does not say."""
    found = dict(rows(buffer.db, "SELECT key, value FROM meta WHERE key IN ('share', 'shares')"))
    return (found["share"], found["shares"]) if len(found) == 2 else None


def note_share(buffer: Buffer, number: int, of: int) -> None:
    """Note which part of how many the buffer is."""
    with buffer.transaction() as db:
        db.executemany("INSERT OR REPLACE INTO meta VALUES (?,?)", [("share", number), ("shares", of)])


def state(buffer: Buffer) -> int:
    """COPYING, COPIED, or 0 where no move is in flight."""
    return buffer.meta("handover")


def note_state(buffer: Buffer, value: int) -> None:
    """Note how far the move is."""
    with buffer.transaction() as db:
        db.execute("INSERT OR REPLACE INTO meta VALUES ('handover', ?)", (value,))


def devices(buffer: Buffer) -> set[Device]:
    """Whose readings or numbered records the buffer holds; the gateway's own counts are nobody's."""
    names = {(s.city, s.device) for s in buffer.table.all if not s.quantity.startswith("gw_")}
    return names | set(rows(buffer.db, "SELECT DISTINCT city, device FROM ledger"))


def copy(source: Buffer, target: Buffer, moved: set[Device], is_moved: Callable[[str], bool]) -> int:
    """Copy what is held of the `moved` devices; the readings. `is_moved`: whether the rejected messages of a topic are
    of such a device. Windows that the store has stay clean.

    Raises Unavailable where the target has unsent windows older than what the source still holds.
    """
    _check_floor(source, target)
    target.discard_before(source.pruned_before)
    ids = _series(source, moved)
    unsent = set(rows(source.db, f"SELECT series, window FROM dirty WHERE series IN ({_texts(ids)})"))  # noqa: S608
    numbers = {i: target.table.id_of(source.table[i]) for i in ids}
    sql = f"SELECT series, t, value, key, arrival, flag FROM every_reading WHERE series IN ({_texts(ids)})"  # noqa: S608
    cursor, copied = source.db.execute(sql), 0
    while found := cursor.fetchmany(_CHUNK):
        t = window_start(np.array([row[1] for row in found], dtype=np.int64), source.width).tolist()
        sent = np.array([(row[0], w) not in unsent for row, w in zip(found, t, strict=True)], dtype=np.bool_)
        series, *others = zip(*found, strict=True)
        target.put(Readings.of([numbers[i] for i in series], *others), sent)
        copied += len(found)
    _copy_rows(source, target, moved, is_moved)
    return copied


def _check_floor(source: Buffer, target: Buffer) -> None:
    if target.has_dirty_before(source.pruned_before):
        raise Unavailable(
            f"{target.path} has windows that are not sent and older than what {source.path} still holds. Start its"
            " gateway, wait until they are sent, stop it and run this again."
        )


def _copy_rows(source: Buffer, target: Buffer, moved: set[Device], is_moved: Callable[[str], bool]) -> None:
    """Ledger, undated records, what devices were asked for, rejected messages, and the largest number of an arrival."""
    with target.transaction():
        target.note_arrival(max(source.last_arrival(), target.last_arrival()))
        target.ledger.put(Entry(*row) for row in _of_devices(source, "ledger", moved))
        target.ledger.put_undated(tuple(row) for row in _of_devices(source, "undated", moved))
        target.ledger.note_asked(Asked(*row) for row in _of_devices(source, "asked", moved))
        target.rejects.add(_once(row[1:]) for row in _rejects(source, is_moved))
        target.save_held()


def _of_devices(source: Buffer, table: str, moved: set[Device]) -> list[Any]:
    return [row for row in rows(source.db, f"SELECT * FROM {table}") if row[:2] in moved]  # noqa: S608 - fixed names


def _rejects(source: Buffer, is_moved: Callable[[str], bool]) -> list[Any]:
    columns = "id, at, topic, payload, reason, number, sender, digest"
    return [row for row in rows(source.db, f"SELECT {columns} FROM reject ORDER BY id") if is_moved(row[2])]  # noqa: S608


def _once(row: tuple[Any, ...]) -> RejectedMessage:
    """A rejected message with a digest, so that it is copied once."""
    rejected = RejectedMessage(*row)
    if rejected.digest is not None:
        return rejected
    named = f"{rejected.at} {rejected.number} {rejected.topic}".encode() + rejected.payload
    return rejected._replace(digest=blake2b(named, digest_size=16).digest())


def leave(source: Buffer, moved: set[Device], is_moved: Callable[[str], bool], number: int, of: int) -> None:
    """Delete what was copied, note the new part and end the move, all in one transaction."""
    numbers = _series(source, moved)
    ids = _texts(numbers)
    with source.transaction() as db:
        counts = rows(db, f"SELECT series, count(*) FROM reading WHERE series IN ({ids}) GROUP BY series")  # noqa: S608
        if counts:
            source.held.remove(dict(counts))
        source.held.remove(source.blocks.delete_series(np.array(numbers, dtype=np.int64)))
        for table in ("reading", "dirty"):
            db.execute(f"DELETE FROM {table} WHERE series IN ({ids})")  # noqa: S608 - numbers
        for table in ("ledger", "undated", "asked"):
            db.executemany(f"DELETE FROM {table} WHERE city=? AND device=?", moved)  # noqa: S608 - fixed names
        source.rejects.delete([row[0] for row in _rejects(source, is_moved)])
        source.save_held()
        note_share(source, number, of)
        db.execute("DELETE FROM meta WHERE key = 'handover'")


def _series(buffer: Buffer, moved: set[Device]) -> list[int]:
    """The numbers of all series of these devices but the gateway's own counts."""
    return [
        i for i, s in enumerate(buffer.table.all) if (s.city, s.device) in moved and not s.quantity.startswith("gw_")
    ]


def _texts(ids: Iterable[int]) -> str:
    return ",".join(map(str, ids))
