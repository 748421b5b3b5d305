"""The gateway's buffer: raw readings, dirty windows (the outbox), rejects, counters. One SQLite file.

A reading's identity is (series, time, key); storing it again changes nothing. `blocks` has those that cannot be stored
again, the table `reading` all others. Storing anything new marks the windows of its batch dirty in the same
transaction. A window's generation counts its changes, so that an acknowledgement for an older state does not clear a
newer one. A window stays dirty until the store has confirmed it: `message` is 0 until the window is published, and then
the number of the message that contains it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from contextlib import AbstractContextManager
from itertools import compress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from adapters.sqlite import blocks, deliveries, held, ledger, outbox, rejects
from adapters.sqlite.connection import Schema, connect, read_columns, rows, transaction
from adapters.sqlite.marks import Marks, group_starts
from adapters.sqlite.outbox import USUAL, Turn
from adapters.sqlite.several import insert_readings
from telemetry.errors import UsageError
from telemetry.readings import Readings
from telemetry.series import BoolArray, IntArray, Series, SeriesTable
from telemetry.windows import BASE_WIDTH, HOUR, window_start

_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS buffer_series (
  id INTEGER PRIMARY KEY, city TEXT NOT NULL, device TEXT NOT NULL, quantity TEXT NOT NULL,
  UNIQUE (city, device, quantity)
);
CREATE TABLE IF NOT EXISTS reading (
  window INTEGER NOT NULL, series INTEGER NOT NULL, t INTEGER NOT NULL, key INTEGER NOT NULL,
  value REAL NOT NULL, arrival INTEGER NOT NULL, flag INTEGER NOT NULL,
  PRIMARY KEY (window, series, t, key)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS dirty (
  window INTEGER NOT NULL, series INTEGER NOT NULL, generation INTEGER NOT NULL, message INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (window, series)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS reading_numbered ON reading (key, series) WHERE key >= 4611686018427387904;
CREATE INDEX IF NOT EXISTS dirty_message ON dirty (message) WHERE message > 0;
DROP TRIGGER IF EXISTS reading_new;
DROP TRIGGER IF EXISTS reading_changed;
"""
_FROM_1 = "ALTER TABLE dirty ADD COLUMN message INTEGER NOT NULL DEFAULT 0;"
# Version 2 was never released; its ledger is discarded.
_UPGRADES = {1: _FROM_1, 2: "DROP TABLE IF EXISTS ledger;", 3: "", 4: ""}
_ROW_BYTES = 64  # of a reading in the file, its share of pages and indexes included
_ALWAYS = -(1 << 62)  # before any window: recorded data may be older than 1970
NUMBERED = 1 << 62  # keys from here upwards name a device's own record number
_AMONG = """SELECT json_extract(s.value, '$[0]') FROM json_each(?) s CROSS JOIN reading r
ON r.window = json_extract(s.value, '$[1]') AND r.series = json_extract(s.value, '$[2]')
AND r.t = json_extract(s.value, '$[3]') AND r.key = json_extract(s.value, '$[4]')"""
_MARK = "INSERT INTO dirty VALUES (?,?,1,0) ON CONFLICT DO UPDATE SET generation = generation + 1, message = 0"


class Dirty(NamedTuple):
    """Windows to be sent: columns of series id, window start in ms, generation."""

    series: IntArray
    window: IntArray
    generation: IntArray


class Buffer:
    """The gateway's SQLite file. `width` of its windows in ms cannot change later; None: the width of the file."""

    def __init__(self, path: Path, width: int | None) -> None:
        self.path = path
        tables = _SCHEMA + blocks.SCHEMA + held.SCHEMA + rejects.SCHEMA + ledger.SCHEMA + deliveries.SCHEMA
        self.db = connect(path, Schema("reading", tables, 5, _UPGRADES))
        self.rejects = rejects.Rejects(self.db)
        self.ledger = ledger.LedgerTable(self.db)
        self.deliveries = deliveries.Deliveries(self.db)
        self.table = SeriesTable()
        for row in self._read("SELECT city, device, quantity FROM buffer_series ORDER BY id"):
            self.table.id_of(Series(*row))
        self._saved = len(self.table)
        self.db.execute("INSERT OR IGNORE INTO meta VALUES ('width', ?)", (width or BASE_WIDTH,))
        self.width = self.meta("width")
        if width not in (None, self.width):
            width_of_file = f"{path} has windows of {self.width // 1000} s"
            raise UsageError(f"{width_of_file}; use that width, or another file.")
        # Readings of windows before this time (ms) are deleted, so further ones cannot be folded.
        self.pruned_before = self.meta("pruned_before")
        # Windows before this time are kept and not sent: the rest of their readings is in a file that was set aside.
        self.send_from = self.meta("held_before")
        self.held = held.Held(self.db, self.table)
        self.blocks = blocks.Blocks(self.db, self.width)
        self._marks = Marks(self.db)
        self._newest_arrival = (0, 0)  # end of the oldest hour, when its last reading arrived; ms

    def transaction(self) -> AbstractContextManager[sqlite3.Connection]:
        """All or nothing; nested use joins the outer one."""
        return transaction(self.db)

    def meta(self, key: str) -> int:
        """A number that the file keeps about itself, 0 where it has none: `width`, `pruned_before`, `message` ..."""
        found = rows(self.db, "SELECT value FROM meta WHERE key=?", (key,))
        return int(found[0][0]) if found else 0

    # -- readings ---------------------------------------------------------------------------------------------------

    def put(self, readings: Readings, sent: BoolArray | None = None, arrived: BoolArray | None = None) -> int:
        """Store readings; returns how many are new or changed. `sent`: those whose windows need not be marked dirty.

        `arrived`: accepted ones with the time of their arrival and its number as key, so that no other is the same.
        On disk when the outermost transaction ends.
        """
        if not len(readings):
            return 0
        fresh = 0 if arrived is None else int(np.count_nonzero(arrived))
        with self.transaction():
            self._save_series()
            if fresh == len(readings):
                self.held.add(readings.series, 1.0)
                for window, series in self.blocks.put(readings):
                    self._mark(window, series)
                return fresh
            if arrived is not None and fresh:
                self.blocks.put(readings.take(np.flatnonzero(arrived)))
            return self._put_rows(readings, sent, arrived if fresh else None, fresh)

    def _put_rows(self, readings: Readings, sent: BoolArray | None, stored: BoolArray | None, fresh: int) -> int:
        """Put readings into the table, without those that are `stored`, which are so many, and mark their windows."""
        window = window_start(readings.t, self.width)
        # In the order of the table; readings of one identity stay in theirs, so that the last one holds.
        order = np.lexsort((readings.t, readings.series, window))
        rows = order if stored is None else order[~stored[order]]
        every = (window, readings.series, readings.t, readings.key, readings.value, readings.arrival, readings.flag)
        before = self.db.total_changes
        insert_readings(self.db, every, rows)
        changed = self.db.total_changes - before + fresh
        w, series = window[order], readings.series[order]
        self.held.add(series, changed / len(series))
        if changed:
            if sent is not None:
                new = group_starts(w, series) & ~sent[order]
                w, series = w[new], series[new]
            self._mark(w, series)
        return changed

    def _mark(self, window: IntArray | int, series: IntArray) -> None:
        """Mark the windows of these rows dirty. Rows of several windows are in the order of the table."""
        missing = self._marks.missing(window, series)
        if np.count_nonzero(missing):  # else all are marked: the usual message
            s = series[missing]
            w = window[missing] if isinstance(window, np.ndarray) else np.full(len(s), window)
            marked = dict.fromkeys(zip(w.tolist(), s.tolist(), strict=True))
            self.db.executemany(_MARK, marked)

    def limit(self, max_bytes: int) -> None:
        """Bound the file: rejected messages take an eighth of it at most, and the readings of one device another."""
        self.rejects.limit(min(64 << 20, max_bytes // 8))
        self.held.limit(max(max_bytes // 8 // _ROW_BYTES, 1000))

    def save_held(self) -> None:
        """Write how many readings each device holds."""
        with self.transaction() as db:
            self.held.save(db)

    def values_at(self, series: int, t: int) -> dict[int, float]:
        """The stored values of a series at one time (ms UTC), by their keys; those in blocks left out."""
        sql = "SELECT key, value FROM reading WHERE window=? AND series=? AND t=?"
        return dict(rows(self.db, sql, (window_start(t, self.width), series, t)))

    def among_stored(self, identities: Sequence[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
        """Those of these (series, key, time in ms UTC) that are stored; those in blocks left out."""
        sought = [(n, window_start(t, self.width), series, t, key) for n, (series, key, t) in enumerate(identities)]
        return [identities[n] for (n,) in rows(self.db, _AMONG, (json.dumps(sought),))] if sought else []

    def value_of(self, series: int, key: int) -> float | None:
        """The stored value of a numbered record (`key` from NUMBERED upwards), at whatever time it was."""
        sql = f"SELECT value FROM reading WHERE key >= {NUMBERED} AND key=? AND series=? LIMIT 1"  # noqa: S608
        found = rows(self.db, sql, (key, series))
        return float(found[0][0]) if found else None

    def last_arrival(self) -> int:
        """The largest number an arrival has had, see `gateway.identity`."""
        return self.meta("arrivals")

    def note_arrival(self, number: int) -> None:
        """Keep the largest number of an arrival; within the caller's transaction."""
        self.db.execute("INSERT OR REPLACE INTO meta VALUES ('arrivals', ?)", (number,))

    def rows(self) -> int:
        """How many readings are stored."""
        return int(self._read("SELECT count(*) FROM every_reading")[0][0])

    def _save_series(self) -> None:
        if self._saved < 0:
            self._saved = int(self._read("SELECT count(*) FROM buffer_series")[0][0])
        if self._saved == len(self.table):
            return
        fresh = [(i, *self.table[i]) for i in range(self._saved, len(self.table))]
        # A plain INSERT: if another process has used the number, it fails instead of mixing two series.
        self.db.executemany("INSERT INTO buffer_series VALUES (?,?,?,?)", fresh)
        self._saved = len(self.table)

    def discard_unsaved_series(self) -> None:
        """After a failed transaction: the series numbered in it must be saved with the next one."""
        self._saved = -1

    # -- outbox -----------------------------------------------------------------------------------------------------

    def dirty(
        self, limit: int, *, newest_first: bool = True, city: str | None = None, since: int = 0, turn: Turn = USUAL
    ) -> tuple[Dirty, Readings]:
        """Up to `limit` windows to send, of one city or of all, from `since` (ms) on, and all their readings.

        Newest first, so that live data overtakes a backlog. `turn`: which of them before others.
        """
        self._marks.forget()
        wanted = f"window >= {max(self.send_from, since) or _ALWAYS}"
        if city is not None:
            wanted += (
                f" AND series IN ({','.join(str(i) for i, name in enumerate(self.table.all) if name.city == city)})"
            )
        columns = read_columns(
            self.db,
            8,
            "SELECT d.series, d.window, d.generation, r.t, r.value, r.key, r.arrival, r.flag"  # noqa: S608 - fixed text
            f" FROM ({outbox.chosen(limit, newest_first, wanted, turn)}) d"
            " LEFT JOIN reading r ON r.window = d.window AND r.series = d.series",
        )
        keys, t = np.array(columns[:3], dtype=np.int64), columns[3]
        if None in t:  # a dirty window whose readings are deleted
            there = [at is not None for at in t]
            columns = [list(compress(column, there)) for column in columns]
        dirty = Dirty(*keys[:, group_starts(keys[1], keys[0])])  # the readings of a window are consecutive
        return dirty, Readings.concat([Readings.of(columns[0], *columns[3:]), self.blocks.of(*dirty[1::-1])])

    def _read(self, sql: str) -> list[Any]:
        return rows(self.db, sql)

    def has_dirty_before(self, time: int) -> bool:
        """Whether windows before `time` (ms) are to be sent."""
        return bool(self._read(f"SELECT 1 FROM dirty WHERE window < {time} AND message = 0 LIMIT 1"))  # noqa: S608

    def mark_all_dirty(self, since: int = 0) -> None:
        """Mark all windows from `since` (ms) on dirty: the store lost its data, or part of it."""
        with self.transaction() as db:
            db.execute(
                "INSERT INTO dirty SELECT DISTINCT window, series, 1, 0 FROM every_reading WHERE window > ?"
                " ON CONFLICT DO UPDATE SET generation = generation + 1, message = 0",
                (since - self.width if since else _ALWAYS,),
            )

    def confirm(self, dirty: Dirty) -> None:
        """These windows are stored by the ingest: they are no longer dirty, where nothing has changed since."""
        keys = zip(dirty.window.tolist(), dirty.series.tolist(), dirty.generation.tolist(), strict=True)
        with self.transaction() as db:
            db.executemany("DELETE FROM dirty WHERE window=? AND series=? AND generation=?", keys)

    def assign_messages(self, dirty: Dirty, messages: IntArray) -> None:
        """Save the number of the message that contains each window, where nothing has changed since it was read."""
        columns = (messages, dirty.window, dirty.series, dirty.generation)
        keys = zip(*(column.tolist() for column in columns), strict=True)
        with self.transaction() as db:
            db.executemany("UPDATE dirty SET message=? WHERE window=? AND series=? AND generation=?", keys)
            db.execute("INSERT OR REPLACE INTO meta VALUES ('message', ?)", (int(messages.max()),))

    def last_message(self) -> int:
        """The largest number of a windows message so far."""
        return self.meta("message")

    def confirm_messages(self, city: str, messages: Sequence[int]) -> int:
        """The windows of these messages of a city are stored. Returns how many windows are requeued:

        messages of a city are stored in the order of their numbers, so windows of an earlier message that are still
        dirty were earlier in transit.
        """
        with self.transaction() as db:
            # uses the index, because many windows may be in flight
            filter_messages = "message > 0 AND message IN (SELECT value FROM json_each(?))"
            db.execute(f"DELETE FROM dirty WHERE {filter_messages}", (json.dumps(messages),))  # noqa: S608
            newest = max(messages)
            if newest > self.last_message():  # this file is newer than the numbers of its gateway
                db.execute("INSERT OR REPLACE INTO meta VALUES ('message', ?)", (newest,))
            earlier = "message > 0 AND message < ?"
            if not db.execute(f"SELECT 1 FROM dirty WHERE {earlier} LIMIT 1", (newest,)).fetchone():  # noqa: S608
                return 0
            filter_messages = json.dumps([i for i, s in enumerate(self.table.all) if s.city == city])
            sql = f"UPDATE dirty SET message = 0 WHERE {earlier} AND series IN (SELECT value FROM json_each(?))"  # noqa: S608
            return db.execute(sql, (newest, filter_messages)).rowcount

    def requeue_unconfirmed(self) -> None:
        """Requeue all windows in flight, which may be lost."""
        with self.transaction() as db:
            db.execute("UPDATE dirty SET message = 0 WHERE message > 0")

    def set_send_from(self, time: int) -> None:
        """Send only windows from `time` (ms) on, until other readings of earlier ones are recovered; 0: send all."""
        with self.transaction() as db:
            db.execute("INSERT OR REPLACE INTO meta VALUES ('held_before', ?)", (time,))
        self.send_from = time

    def discard_before(self, time: int) -> None:
        """Delete windows before `time` (ms) and leave the store as it is: their other readings are lost."""
        if time > self.pruned_before:
            self._delete_before(time)

    def backlog(self) -> tuple[int, int | None]:
        """Number of dirty windows, and the start of the oldest."""
        count, oldest = self._read("SELECT count(*), min(window) FROM dirty")[0]
        return int(count), oldest

    # -- retention ---------------------------------------------------------------------------------------------------

    def prune(self, arrived_before: int, max_bytes: int) -> int:
        """Delete the oldest sent readings, an hour at a time, when all of the hour arrived before the given ms.

        Also while the file holds more than `max_bytes`; then, as the last resort, the oldest hour that was never sent,
        which the counter gw_dropped counts. Returns deleted readings.
        """
        deleted = 0
        while (first := self.held_window("min")) is not None:
            full = self.used_bytes() - self.rejects.bytes() > max_bytes
            end = first // HOUR * HOUR + HOUR
            if full and end > (self.held_window("max") or first):
                break  # the newest hour stays: without it every live reading would be rejected
            if not full and (self._arrived_since(end, arrived_before) or self._unsent(end)):
                break
            deleted += self._delete_before(end)
        return deleted

    def held_window(self, which: str) -> int | None:
        """Start of the oldest ("min") or the newest ("max") window of which readings are held, ms."""
        sql = f"SELECT {which}(window) AS w FROM reading UNION ALL SELECT {which}(window) FROM block"  # noqa: S608
        return None if (found := self._read(f"SELECT {which}(w) FROM ({sql})")[0][0]) is None else int(found)  # noqa: S608

    def _unsent(self, end: int) -> bool:
        return bool(self._read(f"SELECT 1 FROM dirty WHERE window < {end} LIMIT 1"))  # noqa: S608 - a number

    def _arrived_since(self, end: int, time: int) -> bool:
        """Whether a reading of windows before `end` arrived at `time` (ms) or later.

        The result is cached, because it needs a read of the whole hour and further arrivals do not change it.
        """
        if self._newest_arrival[0] != end or self._newest_arrival[1] < time:
            newest = self._read(f"SELECT max(arrival) FROM reading WHERE window < {end}")[0][0]  # noqa: S608
            self._newest_arrival = (end, max(newest or 0, self.blocks.newest_arrival(end)))
        return self._newest_arrival[1] >= time

    def _delete_before(self, end: int) -> int:
        """Delete all readings of windows before `end`; dirty windows among them are counted as dropped."""
        self._marks.forget()
        with self.transaction() as db:
            sql = "SELECT series, count(*) FROM reading WHERE window < ? GROUP BY series"
            self.held.remove(dict(db.execute(sql, (end,))))
            self.held.remove(gone := self.blocks.delete_before(end))
            deleted = db.execute("DELETE FROM reading WHERE window < ?", (end,)).rowcount + sum(gone.values())
            dropped = db.execute("DELETE FROM dirty WHERE window < ?", (end,)).rowcount
            db.execute("INSERT OR REPLACE INTO meta VALUES ('pruned_before', ?)", (end,))
            if dropped:
                self.count({"gw_dropped": dropped})
        self.pruned_before = max(self.pruned_before, end)
        return deleted

    def series_readings(self, series: Series, start: int, end: int) -> Readings:
        """The stored readings of one series with `t` in [start, end), ms UTC, in time order; flagged ones included."""
        columns = blocks.columns_of(self.db, series, window_start(start, self.width), start, end)
        return Readings.of([self.table.id_of(series)] * len(columns[0]), *columns)

    def newest_window(self) -> int:
        """Start of the newest window with a reading that has a time from its device, ms; 0 where there is none."""
        return blocks.newest_dated(self.db)

    def used_bytes(self) -> int:
        """Bytes of the file that contain data."""
        pages, free, size = (
            int(self._read(f"PRAGMA {name}")[0][0]) for name in ("page_count", "freelist_count", "page_size")
        )
        return (pages - free) * size

    # -- counters ----------------------------------------------------------------------------------------------------

    def count(self, amounts: dict[str, int]) -> None:
        """Add to counters that survive restarts."""
        with self.transaction() as db:
            db.executemany(
                "INSERT INTO meta VALUES (?,?) ON CONFLICT DO UPDATE SET value = value + excluded.value",
                amounts.items(),
            )

    def counters(self) -> dict[str, int]:
        """All counters."""
        return dict(self._read("SELECT key, value FROM meta WHERE key GLOB 'gw_*'"))

    def close(self) -> None:
        """Close the file."""
        self.db.close()
