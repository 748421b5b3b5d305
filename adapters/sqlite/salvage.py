"""Reading what is left of a damaged SQLite file."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)


class Salvage:
    """A file that may be damaged, opened for reading."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)

    def rows(self, table: str, order: str) -> Iterator[tuple[Any, ...]]:
        """The rows of a table from both ends, up to where the file cannot be read."""
        seen = 0
        for direction in ("ASC", "DESC"):
            by = ", ".join(f"{column} {direction}" for column in order.split(", "))
            cursor = self._db.cursor()
            try:
                cursor.execute(f"SELECT * FROM {table} ORDER BY {by}")  # noqa: S608 - fixed names
                while row := cursor.fetchone():
                    seen += 1
                    yield row
            except sqlite3.Error as error:
                log.warning("%s: %d rows read from one end, then: %s", table, seen, error)
                continue
            return

    def close(self) -> None:
        """Close the file."""
        self._db.close()
