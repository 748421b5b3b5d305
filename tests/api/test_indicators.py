"""/indicators, /explain and /devices: all 91 with origin and reason, a value's proof, devices with their silence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.sqlite.store import SqliteStore
from adapters.store import CityRecord
from api.devices import Newest, states
from kpi_derivation.catalogue import KPIS
from registry.city import City
from registry.silence import EVENTS_ONLY, LEAST_SILENCE, silent_after
from telemetry.partials import fold
from telemetry.readings import Readings
from telemetry.series import Series, SeriesTable
from telemetry.windows import DAY, HOUR, MINUTE
from tests.api.city import NOW

TOWN: dict[str, Any] = {
    "city": {"id": "town", "name": "Town", "country": "SE", "timezone": "UTC", "population": 1000},
    "target": [{"code": "EN:EN:AQ:1C", "part": "no2", "value": 10.0}],
    "device": [
        {"id": "air-1", "kind": "air_reference", "lat": 59.1, "lon": 18.1, "quantities": ["no2"], "interval_s": 3600},
        {"id": "air-2", "kind": "air_reference", "lat": 59.2, "lon": 18.2, "quantities": ["no2"]},
        {"id": "home", "kind": "electricity_meter", "lat": 59.3, "lon": 18.3, "quantities": ["energy_total"]},
        {"id": "hall", "kind": "electricity_meter", "role": "public_building", "quantities": ["energy_total"]},
        {"id": "ev-1", "kind": "ev_charger", "quantities": ["session_energy"]},
    ],
}


def put(store: SqliteStore, device: str, quantity: str, times: list[int], values: list[float]) -> None:
    table = SeriesTable()
    series = table.id_of(Series("town", device, quantity))
    readings = Readings.of([series] * len(times), times, values)
    store.put_partials("window", fold(readings, MINUTE, table.modulus(readings.series)), table)
    store.put_partials("hour", fold(readings, HOUR, table.modulus(readings.series)), table)


@pytest.fixture
def store(tmp_path: Path) -> SqliteStore:
    made = SqliteStore(tmp_path / "town.db")
    made.put_city(CityRecord("town", TOWN, MINUTE))
    return made


@pytest.fixture
def town(store: SqliteStore, serving: Callable[..., str]) -> httpx.Client:
    return httpx.Client(base_url=serving(store), trust_env=False)


def test_all_91_are_there_with_origin_and_reason(client: httpx.Client) -> None:
    found = client.get("/v1/cities/lindhaven/indicators", params={"period": "2026-05"}).json()
    rows = found["indicators"]
    assert len({row["code"] for row in rows}) == 91 == found["summary"]["kpis"]
    assert all((row["value"] is None) == (row["origin"] == "missing") for row in rows)
    assert all(row["why"] for row in rows if row["origin"] == "missing")
    origins = Counter(row["origin"] for row in rows)
    assert origins["derived"] > 0
    by_hand = {row["code"] for row in rows if row["why"] == "reported_only"}
    assert by_hand == {code for code, kpi in KPIS.items() if kpi.level != "local" and not kpi.derivable}


def test_the_summary_counts_what_the_rows_say(client: httpx.Client) -> None:
    found = client.get("/v1/cities/lindhaven/indicators", params={"period": "2026-05"}).json()
    with_value = {row["code"] for row in found["indicators"] if row["value"] is not None}
    assert found["summary"]["with_value"] == len(with_value)
    assert found["summary"]["derived"] + found["summary"]["reported"] == len(with_value)


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/v1/cities/nope/indicators", 404, "There is no city 'nope'"),
        ("/v1/cities/lindhaven/indicators?period=24h", 422, "calendar periods"),
        ("/v1/cities/lindhaven/indicators?period=2026-13", 422, "2026-13"),
        ("/v1/cities/lindhaven/indicators?when=2026", 422, "when"),
        ("/v1/cities/lindhaven/kpis/EN:EN:AQ:9C/explain?period=2026", 404, "EN:EN:AQ:9C"),
        ("/v1/cities/lindhaven/kpis/EN:EN:AQ:1C/explain", 422, "period"),
        ("/v1/cities/lindhaven/kpis/EN:EN:AQ:1C/explain?period=24h", 422, "24h"),
        ("/v1/cities/nope/devices", 404, "nope"),
    ],
)
def test_what_is_not_there_is_a_sentence(client: httpx.Client, path: str, status: int, words: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, words in answer.text) == (status, True), answer.text


def test_a_city_without_any_value_is_answered_with_91_reasons(town: httpx.Client) -> None:
    found = town.get("/v1/cities/town/indicators").json()
    assert found["period"] == "2026"
    assert found["summary"]["with_value"] == 0
    assert {row["why"] for row in found["indicators"]} == {"no_data", "reported_only"}


def test_a_proof_adds_up(store: SqliteStore, town: httpx.Client) -> None:
    start = NOW // DAY * DAY - 2 * DAY
    times = [start + i * HOUR for i in range(24)]
    put(store, "air-1", "no2", times, [10.0 + i % 4 for i in range(24)])
    day = "2026-06-16"
    found = town.get(
        "/v1/cities/town/kpis/EN:EN:AQ:1C/explain", params={"period": day, "part": "no2", "format": "json"}
    ).json()
    [proof] = found["derived"]
    assert proof["value"]["value"] == pytest.approx((10 + 11 + 12 + 13) / 4)
    [device] = [d for d in proof["devices"] if not d["left_out"]]
    assert (device["device"], device["readings"], device["mean"]) == ("air-1", 24, pytest.approx(11.5))


def test_silent_devices_come_before_those_that_report(store: SqliteStore, town: httpx.Client) -> None:
    put(store, "air-1", "no2", [NOW - 30 * MINUTE], [11.0])
    put(store, "air-2", "no2", [NOW - 5 * DAY, NOW - 5 * DAY + HOUR], [9.0, 12.0])
    put(store, "home", "energy_total", [NOW - MINUTE], [4711.0])
    put(store, "hall", "energy_total", [NOW - MINUTE], [99.0])
    found = town.get("/v1/cities/town/devices").json()
    assert [(d["id"], d["state"]) for d in found["devices"]] == [
        ("ev-1", "unheard"), ("air-2", "silent"), ("air-1", "ok"), ("hall", "ok"), ("home", "ok"),
    ]  # fmt: skip
    assert found["counts"] == {"ok": 3, "silent": 1, "unheard": 1}
    of = {d["id"]: d for d in found["devices"]}
    assert of["air-2"]["newest"]["no2"]["value"] == 12.0
    assert of["air-1"]["newest"]["no2"]["unit"] == "ug/m3"


def test_position_and_values_of_a_home_are_left_out(store: SqliteStore, town: httpx.Client) -> None:
    put(store, "home", "energy_total", [NOW - MINUTE], [4711.0])
    put(store, "hall", "energy_total", [NOW - MINUTE], [99.0])
    answer = town.get("/v1/cities/town/devices")
    assert "4711" not in answer.text
    assert "59.3" not in answer.text
    of = {d["id"]: d for d in answer.json()["devices"]}
    assert (of["home"]["withheld"], of["home"]["newest"], of["hall"]["withheld"]) == (True, {}, False)
    assert of["hall"]["newest"]["energy_total"]["value"] == 99.0


@pytest.mark.parametrize(("ago", "state"), [(LEAST_SILENCE, "ok"), (LEAST_SILENCE + 1, "silent")])
def test_a_device_is_silent_after_three_intervals_or_15_minutes(ago: int, state: str) -> None:
    city = City.model_validate(TOWN)
    found = states(city, {"air-2": {"no2": Newest(NOW - ago, 1.0)}}, NOW)
    assert {d.id: d.state for d in found}["air-2"] == state


def test_an_interval_of_an_hour_and_events_have_longer_silences() -> None:
    devices = {d.id: d for d in City.model_validate(TOWN).device}
    assert silent_after(devices["air-1"]) == 3 * HOUR
    assert silent_after(devices["ev-1"]) == EVENTS_ONLY
