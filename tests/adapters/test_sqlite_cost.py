"""What the embedded store must not search, counted in the steps of SQLite's machine instead of time."""

from __future__ import annotations

from pathlib import Path

from adapters.sqlite.store import SqliteStore
from telemetry.series import SeriesTable
from tests.adapters.stores.samples import partials


def steps(store: SqliteStore, city: str) -> int:
    """Hundreds of steps that the span of a city takes."""
    counted = 0

    def count() -> int:
        nonlocal counted
        counted += 1
        return 0

    store._db.set_progress_handler(count, 100)
    store.span(city, "window")
    store._db.set_progress_handler(None, 0)
    return counted


def test_the_span_of_a_city_without_readings_does_not_search_those_of_others(tmp_path: Path) -> None:
    store, table = SqliteStore(tmp_path / "s.db"), SeriesTable()
    assert steps(store, "quiet") <= 1
    store.put_partials("window", partials(table, *((f"d{n % 10}", n, 1.0) for n in range(5000))), table)
    assert steps(store, "quiet") <= 1
    assert store.span("quiet", "window") is None
