"""Reading what is left of a damaged SQLite file."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from adapters.sqlite.blocks import unpacked
from adapters.sqlite.connection import Damaged

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

    def of_blocks(self) -> Iterator[tuple[Any, ...]]:
        """The readings of the blocks that are as they were written, as rows of the table `reading`."""
        if not self._has_blocks():
            return
        for window, _, _, checksum, block in self.rows("block", "window, number"):
            try:
                found = unpacked(block, checksum)
            except Damaged as error:
                log.warning("block: %s", error)
                continue
            columns = (found.series, found.t, found.key, found.value, found.arrival, found.flag)
            for row in zip(*(column.tolist() for column in columns), strict=True):
                yield (window, *row)

    def _has_blocks(self) -> bool:
        """False for a file of an older program."""
        try:
            return bool(self._db.execute("SELECT 1 FROM sqlite_master WHERE name = 'block'").fetchone())
        except sqlite3.Error:
            return True  # `rows` logs what cannot be read

    def close(self) -> None:
        """Close the file."""
        self._db.close()
