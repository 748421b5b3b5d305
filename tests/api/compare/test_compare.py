"""/v1/compare with a country in the store: which cities a city is compared with, and at what cost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from adapters.sqlite.store import SqliteStore
from adapters.store import CityRecord
from api.app import create_app
from api.settings import ApiSettings
from registry.city import City
from reporting.figures.reported import Reported
from reporting.region.table import neighbours
from reporting.report import report_figures
from telemetry.windows import MINUTE

NOW = 1_772_000_000_000  # February 2026


def config(number: int, **more: object) -> dict[str, Any]:
    head = {"id": f"m{number:03}", "name": f"Town {number}", "country": "NO", "timezone": "Europe/Oslo"}
    return {"city": {**head, "population": 1000.0 * (number + 1), **more}}


def cities(*configs: dict[str, Any]) -> list[City]:
    return [City.model_validate(c) for c in configs]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> SqliteStore:
    """150 towns, the first 30 of them in a group; each reports one figure of 2025."""
    made = SqliteStore(Path(tmp_path_factory.mktemp("country")) / "c.db")
    for number in range(150):
        plain = config(number, **({"group": "small"} if number < 30 else {}))
        made.put_city(CityRecord(plain["city"]["id"], plain, MINUTE))
        figure = Reported(code="EC:ICT:ICT:1C", year=2025, value=50.0, quality="survey", source="office")
        report_figures(made, City.model_validate(plain), [figure], "f", NOW)
    return made


@pytest.fixture(scope="module")
def client(store: SqliteStore) -> Iterator[TestClient]:
    with TestClient(create_app(ApiSettings(), store, lambda: NOW)) as made:
        yield made


def test_a_city_is_compared_with_its_group(client: TestClient) -> None:
    found = client.get("/v1/compare?near=m007").json()
    assert found["group"] == "small"
    assert {c["id"] for c in found["cities"]} == {f"m{n:03}" for n in range(30)}
    assert found["period"] == "2025"


def test_without_a_group_the_cities_of_the_nearest_size_are_compared(client: TestClient) -> None:
    found = client.get("/v1/compare?near=m149").json()
    assert found["group"] == ""
    assert {c["id"] for c in found["cities"]} == {f"m{n:03}" for n in range(50, 150)}


def test_all_of_many_cities_are_refused_with_what_to_do(client: TestClient) -> None:
    assert "name some with city=, or one with near=" in client.get("/v1/compare").json()["detail"]
    assert "not both" in client.get("/v1/compare?near=m001&city=m002").json()["detail"]
    assert "There is no city 'm999'" in client.get("/v1/compare?near=m999").json()["detail"]


def test_one_request_reads_the_list_of_cities_at_most_once(
    client: TestClient, store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With one reading of all cities for each city of the answer a country took seconds."""
    calls = 0
    every = store.cities

    def counted() -> list[CityRecord]:
        nonlocal calls
        calls += 1
        return every()

    monkeypatch.setattr(store, "cities", counted)
    ids = "&".join(f"city=m{n:03}" for n in range(60))
    for path, most in ((f"/v1/compare?{ids}", 0), ("/v1/compare?near=m001", 1), ("/v1/cities/m001/indicators", 0)):
        calls = 0
        assert client.get(path).status_code == 200
        assert calls <= most, path


def test_neighbours_are_of_the_group_before_the_region() -> None:
    found = cities(
        config(1, group="g", region="r"), config(2, group="g"), config(3, region="r"), config(4),
    )  # fmt: skip
    own, _, of_region, alone = found
    assert [(name, [c.id for c in chosen]) for name, chosen in [neighbours(found, own, 10)]] == [
        ("g", ["m001", "m002"])
    ]
    assert [c.id for c in neighbours(found, of_region, 10)[1]] == ["m003", "m001"]
    assert [c.id for c in neighbours(found, alone, 3)[1]] == ["m004", "m003", "m002"]


def test_a_city_without_population_comes_last_and_the_city_itself_first() -> None:
    unknown = City.model_validate({"city": {**config(9)["city"], "population": None}})
    found = [*cities(config(1), config(2)), unknown]
    assert [c.id for c in neighbours(found, found[0], 2)[1]] == ["m001", "m002"]
    assert [c.id for c in neighbours(found, unknown, 2)[1]] == ["m009", "m001"]
