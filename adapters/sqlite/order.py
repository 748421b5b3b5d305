"""Which windows messages are stored: the largest number of each gateway, in a table beside the rejects.

A broker that lost its last minutes can redeliver a message after a newer one, and an older state of a window would
replace the newer. So a message that arrives after a larger number of the same gateway is skipped, and the larger number
is confirmed a second time: either the message was stored before, or its receipt is missing and the gateway publishes
those windows under a new number.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator

from adapters.sqlite.connection import rows, transaction

_SCHEMA = "CREATE TABLE IF NOT EXISTS newest (topic TEXT PRIMARY KEY, number INTEGER NOT NULL)"


class Order:
    """Largest numbers by topic; the topic names city and gateway."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        with transaction(db):
            db.execute(_SCHEMA)
        self._newest: dict[str, int] = dict(rows(db, "SELECT topic, number FROM newest"))

    def superseded(self, numbered: Iterable[tuple[str, int]]) -> Iterator[bool]:
        """For each (topic, number) in the order of arrival whether a newer one arrived before; 0 means no number."""
        newest = dict(self._newest)
        for topic, number in numbered:
            yield 0 < number < newest.get(topic, 0)
            newest[topic] = max(newest.get(topic, 0), number)

    def newest(self, topic: str) -> int:
        """The largest number of the topic that is stored; 0 where there is none."""
        return self._newest.get(topic, 0)

    def mark_stored(self, numbered: Iterable[tuple[str, int]]) -> None:
        """These messages are stored now."""
        changed: dict[str, int] = {}
        for topic, number in numbered:
            if number > max(self._newest.get(topic, 0), changed.get(topic, 0)):
                changed[topic] = number
        if changed:
            with transaction(self._db) as db:
                db.executemany("INSERT OR REPLACE INTO newest VALUES (?,?)", changed.items())
            self._newest |= changed
