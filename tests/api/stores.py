"""A store that can go away, for the tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from adapters.sqlite.store import SqliteStore
from telemetry.errors import Unavailable
from tests.api.city import seed


class Shaky(SqliteStore):
    """A seeded store that raises Unavailable while `away` is set."""

    def __init__(self, path: Path) -> None:
        self.away = False
        super().__init__(path)

    def _execute(self, sql: str, values: tuple[Any, ...]) -> Any:
        if self.away:
            raise Unavailable("The store cannot be read: unplugged.")
        return super()._execute(sql, values)


def shaky(folder: Path) -> Shaky:
    """A new one in this folder, with the made-up city."""
    store = Shaky(folder / "shaky.db")
    seed(store)
    return store
