"""How many readings of each device the buffer holds, so that one device cannot use it up.

The counts are kept in memory and written with the housekeeping; after a crash a device may hold some more than counted.
"""

from __future__ import annotations

import sqlite3

import numpy as np

from adapters.sqlite.connection import rows
from telemetry.series import IntArray, SeriesTable

SCHEMA = """
CREATE TABLE IF NOT EXISTS held (
  city TEXT NOT NULL, device TEXT NOT NULL, rows INTEGER NOT NULL, PRIMARY KEY (city, device)
) WITHOUT ROWID;
"""

Device = tuple[str, str]  # city and id


class Held:
    """Readings held, by device. `full`: the devices that hold as many as one device may."""

    def __init__(self, db: sqlite3.Connection, table: SeriesTable) -> None:
        self._table = table
        self._device_of = np.empty(0, dtype=np.int64)  # series -> place of its device
        self._share: int | None = None
        self.full: set[Device] = set()
        known = {(city, device): n for city, device, n in rows(db, "SELECT * FROM held")}
        self._places = {device: place for place, device in enumerate(known)}
        self._rows = np.array(list(known.values()), dtype=np.int64)  # by place
        self._changed: set[int] = set()

    def limit(self, share: int) -> None:
        """How many readings one device may hold."""
        self._share = share
        self._note_full(np.arange(len(self._rows)))

    def add(self, series: IntArray, part: float) -> None:
        """Count one reading for each of `series`, of which this `part` (0 to 1) is new."""
        places = self._places_of(series)
        if part == 1.0:
            np.add.at(self._rows, places, 1)
            self._note_change(places)
        else:
            places, counts = np.unique(places, return_counts=True)
            self._add(places, np.rint(counts * part).astype(np.int64))

    def remove(self, counts: dict[int, int]) -> None:
        """Count readings that are deleted: how many of each series."""
        places = self._places_of(np.array(list(counts), dtype=np.int64))
        gone = np.bincount(places, list(counts.values()), len(self._rows)).astype(np.int64)
        self._add(np.flatnonzero(gone), -gone[gone > 0])

    def save(self, db: sqlite3.Connection) -> None:
        """Write the counts that changed; within the caller's transaction."""
        names = list(self._places)
        changed, self._changed = self._changed, set()
        found = [(*names[place], max(int(self._rows[place]), 0)) for place in changed]
        db.executemany("INSERT OR REPLACE INTO held VALUES (?,?,?)", found)

    def _add(self, places: IntArray, counts: IntArray) -> None:
        self._rows[places] += counts
        self._note_change(places)

    def _note_change(self, places: IntArray) -> None:
        self._changed.update(places.tolist())
        self._note_full(places)

    def _note_full(self, places: IntArray) -> None:
        if self._share is None:
            return
        over = self._rows[places] >= self._share
        if self.full or np.count_nonzero(over):
            names = list(self._places)
            self.full.difference_update(names[place] for place in places[~over].tolist())
            self.full.update(names[place] for place in places[over].tolist())

    def _place(self, device: Device) -> int:
        return self._places.setdefault(device, len(self._places))

    def _places_of(self, series: IntArray) -> IntArray:
        """The places of the devices of these series."""
        fresh = self._table.all[len(self._device_of) :]
        if fresh:
            of_fresh = [self._place((city, device)) for city, device, _ in fresh]
            self._device_of = np.concatenate([self._device_of, np.array(of_fresh, dtype=np.int64)])
            missing = len(self._places) - len(self._rows)
            self._rows = np.concatenate([self._rows, np.zeros(missing, dtype=np.int64)])
        return self._device_of[series]
