"""Which gateway sends the windows of a device: the first that did, in a table beside the rejected messages."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable

from adapters.sqlite.connection import rows, transaction

_SCHEMA = """
CREATE TABLE IF NOT EXISTS owner (
  city TEXT NOT NULL, device TEXT NOT NULL, gateway TEXT NOT NULL, PRIMARY KEY (city, device)
) WITHOUT ROWID
"""
Device = tuple[str, str]


class Owners:
    """City and device -> gateway."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        with transaction(db):
            db.execute(_SCHEMA)
        self._known: dict[Device, str] = {
            (city, device): gateway for city, device, gateway in rows(db, "SELECT city, device, gateway FROM owner")
        }

    def of(self, city: str, device: str) -> str | None:
        """The gateway of a device, None where none has sent anything of it."""
        return self._known.get((city, device))

    def of_city(self, city: str) -> dict[str, str]:
        """Device -> gateway, of one city."""
        return {device: gateway for (owner, device), gateway in self._known.items() if owner == city}

    def held(self, gateway: str, without: Collection[Device]) -> int:
        """How many devices the gateway has, without those."""
        return sum(owner == gateway and device not in without for device, owner in self._known.items())

    def add(self, devices: Iterable[Device], gateway: str) -> None:
        """These devices are the gateway's from now on."""
        fresh = [d for d in devices if d not in self._known]
        if fresh:
            with transaction(self._db) as db:
                db.executemany("INSERT OR IGNORE INTO owner VALUES (?,?,?)", [(*d, gateway) for d in fresh])
            self._known |= dict.fromkeys(fresh, gateway)
