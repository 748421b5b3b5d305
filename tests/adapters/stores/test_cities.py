"""Cities: what every store does with them."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.store import CityRecord, Store
from telemetry.errors import UsageError
from telemetry.series import SeriesTable
from telemetry.windows import MINUTE
from tests.adapters.stores.samples import partials

CONFIG: dict[str, Any] = {
    "city": {"id": "aba", "name": 'Århus "Øst", it\'s\na\\b', "population": 1.5e5, "extra": {"x": [1, None, True]}},
    "device": [{"id": "a", "site": "Main St, 4"}],
}


def test_a_city_comes_back_as_it_was(store: Store) -> None:
    store.put_city(CityRecord("aba", CONFIG, MINUTE))
    assert store.cities() == [CityRecord("aba", CONFIG, MINUTE)]


def test_one_city_is_found_by_its_id(store: Store) -> None:
    for name in ("aba", "it's", "zoo"):
        store.put_city(CityRecord(name, CONFIG | {"name": name}, MINUTE))
    assert store.city("it's") == CityRecord("it's", CONFIG | {"name": "it's"}, MINUTE)
    assert store.city("ab") is None


def test_an_empty_store_has_no_city(store: Store) -> None:
    assert store.cities() == []
    assert store.city("aba") is None


def test_cities_are_sorted_by_id(store: Store) -> None:
    for name in ("zoo", "aba", "b:1.x-y_z"):
        store.put_city(CityRecord(name, {}, MINUTE))
    assert [city.id for city in store.cities()] == ["aba", "b:1.x-y_z", "zoo"]


def test_a_city_file_replaces_the_one_before(store: Store) -> None:
    store.put_city(CityRecord("aba", CONFIG, MINUTE))
    store.put_city(CityRecord("aba", {"city": {}}, MINUTE))
    assert store.cities() == [CityRecord("aba", {"city": {}}, MINUTE)]


def test_the_width_may_change_while_there_are_no_windows(store: Store) -> None:
    store.put_city(CityRecord("aba", CONFIG, MINUTE))
    store.put_city(CityRecord("aba", CONFIG, 5 * MINUTE))
    assert store.cities()[0].width == 5 * MINUTE


def test_the_width_may_not_change_once_there_are_windows(store: Store) -> None:
    table = SeriesTable()
    store.put_city(CityRecord("aba", CONFIG, MINUTE))
    store.put_partials("window", partials(table, ("a", 0, 1.0)), table)
    with pytest.raises(UsageError, match=r"windows of 60 s for aba.*--width 60s"):
        store.put_city(CityRecord("aba", {}, 5 * MINUTE))
    assert store.cities() == [CityRecord("aba", CONFIG, MINUTE)]


def test_another_citys_windows_do_not_bind_the_width(store: Store) -> None:
    table = SeriesTable()
    store.put_city(CityRecord("aba", CONFIG, MINUTE))
    store.put_partials("window", partials(table, ("a", 0, 1.0), city="bab"), table)
    store.put_city(CityRecord("aba", CONFIG, 5 * MINUTE))
    assert store.cities()[0].width == 5 * MINUTE


def test_a_city_of_20_000_devices_is_kept_whole(store: Store) -> None:
    config = {
        "device": [{"id": f"meter-{i}", "site": f"street {i}", "kind": "electricity_meter"} for i in range(20_000)]
    }
    store.put_city(CityRecord("aba", config, MINUTE))
    assert store.cities()[0].config == config


def test_a_store_that_is_there_answers_a_ping(store: Store) -> None:
    store.ping()
