"""A client that keeps the last number reads what changed since then, on every store and with any clock."""

from __future__ import annotations

from random import Random

import pytest

from adapters.store import CityRecord, Store
from adapters.stores import open_store
from telemetry.kpi_value import StoredKpi
from tests.adapters.stores.samples import T0, kpi

CITIES = ("aba", "bab")


def record(city: str) -> CityRecord:
    return CityRecord(city, {"city": {"id": city}}, 60_000)


class Reader:
    """A reader that keeps the last number of each city, as an index does."""

    def __init__(self) -> None:
        self.at: dict[str, int] = {}
        self.copy: dict[object, StoredKpi] = {}

    def read(self, store: Store, limit: int) -> None:
        for city in CITIES:
            while rows := store.changes(city, self.at.get(city, 0), limit):
                assert [n for n, _ in rows] == sorted({n for n, _ in rows})
                self.at[city] = rows[-1][0]
                self.copy |= {row.kpi.identity: row for _, row in rows}


@pytest.mark.parametrize("seed", range(4))
def test_a_reader_has_all_values_in_the_end(url: str, seed: int) -> None:
    """Random clocks, pauses, several cities, restarts of the writer, other page sizes, late first readers."""
    rng, store, expected = Random(seed), open_store(url), dict[object, StoredKpi]()
    readers = [(Reader(), open_store(url))]
    for city in CITIES:
        store.put_city(record(city))
    for step in range(25):
        clock = T0 + rng.randrange(-3_600_000, 3_600_000)
        rows = [
            kpi(100 * step + i, city=rng.choice(CITIES), code=rng.choice("ABC"), kind=rng.choice(["day", "24h"]),
                end=T0 + rng.randrange(3) * 3_600_000, updated=clock)
            for i in range(rng.randrange(1, 5))
        ]  # fmt: skip
        rows = list({row.kpi.identity: row for row in rows}.values())
        store.put_kpis(rows)
        expected |= {row.kpi.identity: row for row in rows}
        if rng.random() < 0.2:
            store.close()
            store = open_store(url)
            for city in CITIES:
                store.put_city(record(city))
        if rng.random() < 0.3:
            readers.append((Reader(), open_store(url)))
        for reader, its in readers:
            if rng.random() < 0.4:
                reader.read(its, rng.randrange(1, 4))
    for reader, its in readers:
        reader.read(its, 3)
        assert reader.copy == expected
        its.close()
    store.close()


def test_kinds_and_limit_narrow_the_changes(store: Store) -> None:
    store.put_city(record("aba"))
    store.put_kpis([kpi(i, code=c, kind=k) for i, c, k in ((1, "A", "day"), (2, "A", "year"), (3, "B", "day"))])
    store.put_kpis([kpi(4, code="A", kind="day")])
    found = store.changes("aba", 0, 10, ["day"])
    assert [row.kpi.value for _, row in found] == [3.0, 4.0]
    assert [row.kpi.value for _, row in store.changes("aba", 0, 2)] == [2.0, 3.0]
    assert found[-1][0] == store.newest_change("aba")
    assert store.changes("aba", found[-1][0], 10) == []
    assert store.newest_change("bab") == 0
