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


def test_the_span_of_a_new_city_does_not_search_the_old_readings_of_others(tmp_path: Path) -> None:
    """Twenty times the readings of another city in the same hours: the same number of steps."""

    def of(count: int) -> int:
        store, table = SqliteStore(tmp_path / f"{count}.db"), SeriesTable()
        others = [(f"d{d}", 60 * hour, 1.0) for hour in range(200) for d in range(count)]
        store.put_partials("window", partials(table, *others), table)
        store.put_partials("window", partials(table, ("new", 60 * 199, 1.0), city="young"), table)
        assert store.span("young", "window") == (partials(table, ("new", 60 * 199, 1.0)).start[0],) * 2
        return steps(store, "young")

    assert of(100) <= 1.5 * of(5) + 2
