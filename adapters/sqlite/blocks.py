"""Accepted readings that are dated by their arrival: a batch of them is one row, a block, with the columns as bytes.

Their keys are numbers of arrivals, which no other reading has, so they need no rows in which a later value could
replace them. A row for each of the seven values of a message costs ten times as much. `readable` gives a connection the
view `every_reading`, which shows rows and blocks alike.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from struct import Struct
from typing import Any
from zlib import crc32

import msgspec
import numpy as np

from adapters.sqlite.connection import Damaged, WatchedConnection, problem, read_columns, rows
from telemetry.readings import Readings
from telemetry.series import BoolArray, IntArray, Series
from telemetry.windows import window_start

SCHEMA = """
CREATE TABLE IF NOT EXISTS block (
  window INTEGER NOT NULL, number INTEGER NOT NULL, arrived INTEGER NOT NULL, checksum INTEGER NOT NULL,
  readings BLOB NOT NULL, PRIMARY KEY (window, number)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS block_series (series INTEGER PRIMARY KEY);
"""
_VIEW = """
CREATE TEMP VIEW every_reading AS
  SELECT window, series, t, key, value, arrival, flag FROM reading
  UNION ALL
  SELECT b.window, json_extract(e.value, '$[0]'), json_extract(e.value, '$[1]'), json_extract(e.value, '$[2]'),
    real_of(json_extract(e.value, '$[3]')), json_extract(e.value, '$[1]'), 0
  FROM block b, json_each(readings_of(b.readings, b.checksum)) e
"""
_RECORD = np.dtype([("t", "<i8"), ("key", "<i8"), ("value", "<f8"), ("series", "<i4")])
_REAL, _BITS = Struct("<d"), Struct("<q")
_MOST = 20_000  # readings of a block
_TOGETHER = 4 << 20  # bytes that are read together
_PUT = "INSERT INTO block SELECT ?1, ifnull(max(number), 0) + 1, ?2, ?3, ?4 FROM block WHERE window = ?1"


def _packed(readings: Readings) -> bytes:
    records = np.empty(len(readings), dtype=_RECORD)
    records["t"], records["key"], records["value"] = readings.t, readings.key, readings.value
    records["series"] = readings.series
    return records.tobytes()


def _checked(block: bytes, checksum: int) -> bytes:
    """The block. Raises Damaged where these are not the bytes that were written."""
    if crc32(block) != checksum:
        raise Damaged("A block of readings is damaged: its checksum differs.")
    return block


def _readings(blocks: list[bytes]) -> Readings:
    records = np.frombuffer(b"".join(blocks), dtype=_RECORD)
    return Readings.of(*(records[name] for name in ("series", "t", "value", "key")))


def unpacked(block: bytes, checksum: int) -> Readings:
    """The readings of a block. Raises Damaged where these are not the bytes that were written."""
    return _readings([_checked(block, checksum)])


def readable(db: sqlite3.Connection) -> sqlite3.Connection:
    """The connection, now with the view `every_reading`."""
    db.create_function("readings_of", 2, _as_json, deterministic=True)
    db.create_function("real_of", 1, lambda bits: _REAL.unpack(_BITS.pack(bits))[0], deterministic=True)
    db.execute(_VIEW)
    return db


def _as_json(block: bytes, checksum: int) -> str:
    """Series, time, key and the bits of the value of each: SQLite does not read every number of JSON exactly."""
    r = unpacked(block, checksum)
    columns = zip(r.series.tolist(), r.t.tolist(), r.key.tolist(), r.value.view(np.int64).tolist(), strict=True)
    return msgspec.json.encode(list(columns)).decode()


def columns_of(db: sqlite3.Connection, series: Series, window: int, start: int, end: int) -> list[list[Any]]:
    """Time, value, key, arrival and flag of what is stored of a series from `start` until `end`, in the order of time.

    `window`: the first that may have some.
    """
    sql = (
        "SELECT r.t, r.value, r.key, r.arrival, r.flag FROM every_reading r JOIN buffer_series s ON s.id = r.series"
        " WHERE (s.city, s.device, s.quantity) = (?, ?, ?) AND r.window >= ? AND r.t >= ? AND r.t < ?"
        " ORDER BY r.t, r.key"
    )
    return read_columns(db, 5, sql, (*series, window, start, end))


def newest_dated(db: sqlite3.Connection) -> int:
    """Start of the newest window with a reading that has a time from its device, ms; 0 where there is none.

    The gateway's own readings and those with an estimated time depend on the gateway's clock and do not count, and
    blocks have no others.
    """
    found = rows(
        db,
        "SELECT r.window FROM (SELECT * FROM reading ORDER BY window DESC LIMIT 100000) r"
        " JOIN buffer_series s ON s.id = r.series"
        " WHERE r.key = 0 AND r.t <> r.arrival AND s.quantity NOT GLOB 'gw_*' AND s.quantity NOT GLOB 'ledger_*'"
        " ORDER BY r.window DESC LIMIT 1",
    )
    return int(found[0][0]) if found else 0


class Blocks:
    """The table. `width`: of windows, ms."""

    def __init__(self, db: WatchedConnection, width: int) -> None:
        readable(db)
        self._db, self._width = db, width
        self._read_series()

    def _read_series(self) -> None:
        found = [series for (series,) in rows(self._db, "SELECT series FROM block_series")]
        self._has = np.zeros(max(found, default=-1) + 1, dtype=np.bool_)  # by series: whether blocks may hold it
        self._has[found] = True
        self._rolled_back = self._db.rolled_back

    def put(self, readings: Readings) -> list[tuple[int, IntArray]]:
        """Store readings; their windows, ascending, and the series of each reading in it. In a transaction."""
        self._note(readings.series)
        first, last = (window_start(int(t), self._width) for t in (readings.t.min(), readings.t.max()))
        if first == last and len(readings) <= _MOST:
            self._insert(first, readings)
            return [(first, readings.series)]
        windows, found = window_start(readings.t, self._width), []
        for window in np.unique(windows).tolist():
            mine = readings.take(np.flatnonzero(windows == window))
            for place in range(0, len(mine), _MOST):
                self._insert(window, mine.take(slice(place, place + _MOST)))
            found.append((window, mine.series))
        return found

    def _insert(self, window: int, readings: Readings) -> None:
        block = _packed(readings)
        self._db.execute(_PUT, (window, int(readings.t.max()), crc32(block), block))

    def _note(self, series: IntArray) -> None:
        """Note that blocks have readings of these series."""
        if not self.may_hold(series).all():
            fresh = set(series.tolist()).difference(np.flatnonzero(self._has).tolist())
            self._db.executemany("INSERT OR IGNORE INTO block_series VALUES (?)", ((n,) for n in fresh))
            missing = max(max(fresh) + 1 - len(self._has), 0)
            self._has = np.concatenate([self._has, np.zeros(missing, dtype=np.bool_)])
            self._has[list(fresh)] = True

    def may_hold(self, series: IntArray) -> BoolArray:
        """Of which of these series blocks may hold readings."""
        if self._db.rolled_back != self._rolled_back:  # what was noted meanwhile may not be so
            self._read_series()
        try:
            held: BoolArray = self._has[series]
        except IndexError:  # a new series; to look for one each time takes longer
            known = series < len(self._has)
            held = known & np.append(self._has, False)[np.where(known, series, -1)]
        return held

    def of(self, window: IntArray, series: IntArray) -> Readings:
        """The readings of these windows."""
        wanted = self.may_hold(series)
        if not wanted.any():
            return Readings.of([], [], [])
        by_window: dict[int, BoolArray] = {}
        for start, number in zip(window[wanted].tolist(), series[wanted].tolist(), strict=True):
            by_window.setdefault(start, np.zeros(len(self._has), dtype=np.bool_))[number] = True
        starts = msgspec.json.encode(sorted(by_window)).decode()
        found = self._read("window IN (SELECT value FROM json_each(?))", starts)
        return Readings.concat([r.take(np.flatnonzero(by_window[start][r.series])) for start, r in found])

    def _read(self, where: str, *values: object) -> Iterator[tuple[int, Readings]]:
        """Window and readings of blocks, several of a window together, but not all of a minute with very many."""
        sql = f"SELECT window, readings, checksum FROM block WHERE {where} ORDER BY window"  # noqa: S608 - fixed text
        window, size, pieces = 0, 0, list[bytes]()
        try:
            for start, block, checksum in self._db.execute(sql, values):
                if pieces and (start != window or size > _TOGETHER):
                    yield window, _readings(pieces)
                    size, pieces = 0, []
                window, size = start, size + len(block)
                pieces.append(_checked(block, checksum))
        except sqlite3.Error as error:
            raise problem(f"The database cannot be read: {error}.", error) from error
        if pieces:
            yield window, _readings(pieces)

    def newest_arrival(self, end: int) -> int:
        """When the last reading of windows before `end` arrived, ms; 0 where there is none."""
        return int(rows(self._db, "SELECT ifnull(max(arrived), 0) FROM block WHERE window < ?", (end,))[0][0])

    def delete_before(self, end: int) -> dict[int, int]:
        """Delete the readings of windows before `end`, ms; how many of each series. In a transaction."""
        gone = np.zeros(len(self._has), dtype=np.int64)
        for _, readings in self._read("window < ?", end):
            gone += np.bincount(readings.series, minlength=len(gone))
        self._db.execute("DELETE FROM block WHERE window < ?", (end,))
        return {series: int(gone[series]) for series in np.flatnonzero(gone).tolist()}

    def delete_series(self, series: IntArray) -> dict[int, int]:
        """Delete the readings of these series; how many of each. In a transaction."""
        gone = np.zeros(len(self._has), dtype=np.int64)
        wanted = np.zeros(len(self._has), dtype=np.bool_)
        wanted[series[self.may_hold(series)]] = True
        for place in rows(self._db, "SELECT window, number FROM block") if wanted.any() else ():
            [(_, readings)] = self._read("(window, number) = (?, ?)", *place)
            chosen = wanted[readings.series]
            if chosen.any():
                gone += np.bincount(readings.series[chosen], minlength=len(gone))
                self._db.execute("DELETE FROM block WHERE window = ? AND number = ?", place)
                if not chosen.all():
                    self._insert(place[0], readings.take(np.flatnonzero(~chosen)))
        self._db.executemany("DELETE FROM block_series WHERE series = ?", ((n,) for n in series.tolist()))
        self._has[wanted] = False
        return {series: int(gone[series]) for series in np.flatnonzero(gone).tolist()}
