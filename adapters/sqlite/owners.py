"""Which gateway sends the windows of a device: the first that did, in a table beside the rejected messages."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable, Iterable, Mapping

from adapters.sqlite.connection import rows, transaction

_SCHEMA = """
CREATE TABLE IF NOT EXISTS owner (
  city TEXT NOT NULL, device TEXT NOT NULL, gateway TEXT NOT NULL, PRIMARY KEY (city, device)
) WITHOUT ROWID
"""
Device = tuple[str, str]
_NONE: Mapping[str, str] = {}


class Owners:
    """City and device -> gateway."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        with transaction(db):
            db.execute(_SCHEMA)
        self._known: dict[str, dict[str, str]] = {}  # by city and device: a pair of both for each would be 7 MB
        for city, device, gateway in rows(db, "SELECT city, device, gateway FROM owner"):
            self._known.setdefault(city, {})[device] = sys.intern(gateway)

    def of(self, city: str, device: str) -> str | None:
        """The gateway of a device, None where none has sent anything of it."""
        return self._known.get(city, _NONE).get(device)

    def of_city(self, city: str) -> dict[str, str]:
        """Device -> gateway, of one city."""
        return dict(self._known.get(city, _NONE))

    def held(self, gateway: str, is_listed: Callable[[str, str], bool]) -> int:
        """How many devices the gateway has, without those that are listed (city, id)."""
        return sum(
            owner == gateway and not is_listed(city, device)
            for city, known in self._known.items()
            for device, owner in known.items()
        )

    def add(self, devices: Iterable[Device], gateway: str) -> None:
        """These devices are the gateway's from now on."""
        fresh = [(city, device) for city, device in devices if device not in self._known.get(city, _NONE)]
        if fresh:
            with transaction(self._db) as db:
                db.executemany("INSERT OR IGNORE INTO owner VALUES (?,?,?)", [(*d, gateway) for d in fresh])
            for city, device in fresh:
                self._known.setdefault(city, {})[device] = sys.intern(gateway)
