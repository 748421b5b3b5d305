"""A consistent copy of a SQLite file while it is in use."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from telemetry.errors import CityVitalsError

_PAGES = 2000  # pages copied at a time, so that a writer does not wait


def copy(source: Path, target: Path, progress: Callable[[int, int], None]) -> None:
    """Copy `source` to the new file `target` and check it. Raises CityVitalsError for a damaged or unreadable file."""

    def report(_status: int, left: int, pages: int) -> None:
        progress(pages - left, pages)

    try:
        with (
            closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True, timeout=30)) as db,
            closing(sqlite3.connect(target)) as made,
        ):
            # One read transaction for the whole copy: without it SQLite begins again at each commit of the program that
            # uses the file, so that a copy which takes longer than the time between two commits never ends.
            db.execute("BEGIN")
            db.execute("SELECT count(*) FROM sqlite_master").fetchone()
            db.backup(made, pages=_PAGES, progress=report)
            verdict = made.execute("PRAGMA quick_check").fetchone()[0]
            if verdict != "ok":
                raise CityVitalsError(f"{source} is damaged: {verdict}. See `cityvitals recover`.")
    except sqlite3.Error as error:
        raise CityVitalsError(f"{source} cannot be copied: {error}.") from error
