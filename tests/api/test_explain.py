"""The proof of a value over HTTP is the one of the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from adapters.sqlite.store import SqliteStore
from adapters.store import CityRecord
from api.app import create_app
from api.routes.explain import _ONE_AT_A_TIME
from api.settings import ApiSettings
from ingest.core import Ingest
from registry.city import City
from reporting.proof.explain import explain
from telemetry.partials import fold
from telemetry.readings import Readings
from telemetry.series import Series
from telemetry.windows import DAY, HOUR, MINUTE

START = 1_709_247_600_000  # 2024-02-29T23:00:00Z, midnight of 1 March in Oslo
NOW = START + 40 * DAY
CITY = {
    "city": {"id": "town", "name": "Town", "country": "NO", "timezone": "Europe/Oslo"},
    "device": [{"id": "m1", "kind": "electricity_meter", "quantities": ["energy_delta"], "interval_s": 3600}],
}


@pytest.fixture
def store(tmp_path: Path) -> SqliteStore:
    made = SqliteStore(tmp_path / "store.db")
    ingest = Ingest(made)
    ingest.add_city(City.model_validate(CITY), MINUTE)
    series = ingest.table.id_of(Series("town", "m1", "energy_delta"))
    times = list(range(START, START + 31 * DAY, HOUR))
    readings = Readings.of([series] * len(times), times, [2.0] * len(times))
    ingest.take("town", fold(readings, MINUTE, ingest.table.modulus(readings.series)))
    ingest.derive(NOW)
    made.put_city(CityRecord("town", CITY, MINUTE))
    return made


@pytest.fixture
def client(store: SqliteStore) -> TestClient:
    return TestClient(create_app(ApiSettings(), store, lambda: NOW))


def test_the_text_is_that_of_the_command(client: TestClient, store: SqliteStore) -> None:
    answer = client.get("/v1/cities/town/kpis/LOCAL:E:METERED/explain", params={"period": "2024-03"})
    assert answer.status_code == 200
    assert answer.text == explain(store, "town", "LOCAL:E:METERED", "", "2024-03", "text", NOW)
    assert "1,486" in answer.text  # 743 hours of 2 kWh: summer time begins in that month


def test_as_json(client: TestClient) -> None:
    answer = client.get(
        "/v1/cities/town/kpis/LOCAL:E:METERED/explain", params={"period": "2024-03-05", "format": "json"}
    )
    assert answer.headers["content-type"] == "application/json"
    assert json.loads(answer.text)["derived"][0]["value"]["value"] == 48.0


@pytest.mark.parametrize(
    ("path", "params", "status", "words"),
    [
        ("gone/kpis/LOCAL:E:METERED", {"period": "2024"}, 404, "no city 'gone'"),
        ("town/kpis/NO:SUCH", {"period": "2024"}, 404, "NO:SUCH"),
        ("town/kpis/LOCAL:E:METERED", {}, 422, "period"),
        ("town/kpis/LOCAL:E:METERED", {"period": "soon"}, 422, "soon"),
        ("town/kpis/LOCAL:E:METERED", {"period": "2024", "part": "pm2_5"}, 422, "no value"),
    ],
)
def test_what_cannot_be_explained_says_why(
    client: TestClient, path: str, params: dict[str, str], status: int, words: str
) -> None:
    answer = client.get(f"/v1/cities/{path}/explain", params=params)
    assert answer.status_code == status
    assert words in answer.text


def test_a_proof_whose_client_has_left_is_not_made(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    async def left(_: object) -> bool:
        return True

    with monkeypatch.context() as gone:
        gone.setattr("api.state.has_left", left)
        gone.setattr("reporting.proof.explain.explain", lambda *_: pytest.fail("it is made"))
        answer = client.get("/v1/cities/town/kpis/LOCAL:E:METERED/explain", params={"period": "2024-03"})
        assert (answer.status_code, answer.content) == (499, b"")
    assert client.get("/v1/cities/town/kpis/LOCAL:E:METERED/explain", params={"period": "2024-03"}).status_code == 200


def test_one_proof_is_made_at_a_time(client: TestClient) -> None:
    with _ONE_AT_A_TIME:
        answer = client.get("/v1/cities/town/kpis/LOCAL:E:METERED/explain", params={"period": "2024-03"})
    assert answer.status_code == 503
    assert "Another proof" in answer.text
    assert client.get("/v1/cities/town/kpis/LOCAL:E:METERED/explain", params={"period": "2024-03"}).status_code == 200
