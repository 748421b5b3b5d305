"""Partials of a time that is not kept: deleted in pieces, those of the ledger excepted; from when on is noted."""

from __future__ import annotations

import numpy as np
import pytest

from adapters.store import Kept, Level, Store
from adapters.stores import open_store
from telemetry.partials import Partials
from telemetry.series import Series, SeriesTable
from telemetry.windows import DAY, HOUR, MINUTE
from tests.adapters.stores.samples import T0, partials_of, read

COLUMNS = {"n": 1, "sum": 2.0, "min": 2.0, "max": 2.0, "sumsq": 4.0, "first": 2.0, "last": 2.0, "increase": np.nan}


@pytest.fixture(autouse=True)
def deletes(request: pytest.FixtureRequest) -> None:
    """InfluxDB 3 does not delete rows, see tests/influx/test_version_3.py."""
    if "influxdb3" in request.node.name:
        pytest.skip("InfluxDB 3 does not delete rows")


def put(store: Store, table: SeriesTable, name: Series, start: list[int], level: Level = "window") -> None:
    count, number = len(start), table.id_of(name)
    made: dict[str, object] = {key: [value] * count for key, value in COLUMNS.items()}
    made |= {"series": [number] * count, "start": start, "first_t": start, "last_t": start}
    store.put_partials(level, partials_of({**made, "flagged": [0] * count, "lag": [0] * count}), table)


def delete(store: Store, end: int, most: int = 7, start: int = 0, level: Level = "window") -> list[int]:
    """All steps of a deletion: the time up to which nothing is left after each."""
    steps = [start]
    while steps[-1] < end:
        steps.append(store.delete_partials("aba", level, steps[-1], end, most))
        assert len(steps) < 400
    return steps


def left(store: Store, level: Level = "window", city: str = "aba") -> list[tuple[str, int]]:
    table = SeriesTable()
    found: Partials = read(store, table, city=city, level=level)
    return sorted((table[s].quantity, t) for s, t in zip(found.series.tolist(), found.start.tolist(), strict=True))


def test_what_is_older_is_deleted_and_nothing_else(store: Store) -> None:
    table, starts = SeriesTable(), [T0 + i * 20 * MINUTE for i in range(40)]
    for city in ("aba", "beb"):
        put(store, table, Series(city, "a", "no2"), starts)
        put(store, table, Series(city, "b", "power"), starts)
    put(store, table, Series("aba", "a", "ledger_sent"), starts)
    end = T0 + 5 * HOUR + 40 * MINUTE
    delete(store, end)
    kept = [t for t in starts if t >= end]
    assert left(store) == [("ledger_sent", t) for t in starts] + [(q, t) for q in ("no2", "power") for t in kept]
    assert len(left(store, city="beb")) == 2 * len(starts)


def test_the_span_follows_what_is_deleted_and_written(store: Store) -> None:
    table, starts = SeriesTable(), [T0 + i * 20 * MINUTE for i in range(40)]
    for city in ("aba", "beb"):
        put(store, table, Series(city, "a", "no2"), starts[5:])
    delete(store, T0 + 5 * HOUR)
    assert store.span("aba", "window") == (T0 + 5 * HOUR, starts[-1])
    assert store.span("beb", "window") == (starts[5], starts[-1])
    put(store, table, Series("aba", "a", "no2"), [starts[2]])
    assert store.span("aba", "window") == (starts[2], starts[-1])
    delete(store, starts[-1] + 1)
    assert store.span("aba", "window") is None
    put(store, table, Series("aba", "a", "no2"), [starts[7]])
    assert store.span("aba", "window") == (starts[7], starts[7])


def test_a_level_is_deleted_without_the_other(store: Store) -> None:
    table = SeriesTable()
    name, starts = Series("aba", "a", "no2"), [T0 + i * HOUR for i in range(60)]
    put(store, table, name, starts)
    put(store, table, name, starts, "hour")
    delete(store, T0 + DAY, level="hour")
    assert len(left(store)) == 60
    assert [t for _, t in left(store, "hour")] == starts[24:]


def test_it_goes_on_where_it_was_interrupted(url: str) -> None:
    store, table = open_store(url), SeriesTable()
    starts = [T0 + i * HOUR for i in range(80)]
    put(store, table, Series("aba", "a", "no2"), starts)
    end = T0 + 3 * DAY
    done = store.delete_partials("aba", "window", 0, end, 5)
    assert 0 < done <= end
    assert len(left(store)) < 80
    store.close()
    again = open_store(url)
    delete(again, end, start=done)
    assert [t for _, t in left(again)] == starts[72:]
    assert delete(again, end, start=done)[-1] == end  # nothing is left to delete


def test_a_city_without_partials_is_done_at_once(store: Store) -> None:
    put(store, SeriesTable(), Series("beb", "a", "no2"), [T0])
    assert store.delete_partials("aba", "window", 0, T0 + DAY, 10) == T0 + DAY
    assert len(left(store, city="beb")) == 1


def test_from_when_on_partials_are_kept_is_stored(url: str) -> None:
    store = open_store(url)
    put(store, SeriesTable(), Series("aba", "a", "no2"), [T0])
    assert store.kept("aba", "window") is None
    store.put_kept("aba", "window", Kept(T0, 0, T0 + 5))
    store.put_kept("aba", "hour", Kept(T0 - DAY, 0, T0 + 6))
    store.put_kept("aba", "window", Kept(T0 + DAY, T0, T0 + 7))
    other = open_store(url)
    assert other.kept("aba", "window") == Kept(T0 + DAY, T0, T0 + 7)
    assert other.kept("aba", "hour") == Kept(T0 - DAY, 0, T0 + 6)
    assert other.kept("beb", "window") is None
