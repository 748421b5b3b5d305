"""/v1/cities and /v1/catalogue."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import httpx

from adapters.sqlite.store import SqliteStore
from kpi_derivation.catalogue import KPIS
from telemetry.windows import HOUR
from tests.api.city import CITY, NOW, put_hours, put_windows, seed


def test_the_cities_are_listed_by_id(client: httpx.Client) -> None:
    [city] = client.get("/v1/cities").json()
    assert city["id"] == CITY
    assert city["name"] == "Lindhaven"
    assert city["timezone"] == "Europe/Stockholm"
    assert city["n_devices"] == 40


def test_an_empty_store_has_no_cities_and_says_so(tmp_path: Path, serving: Callable[..., str]) -> None:
    url = serving(SqliteStore(tmp_path / "empty.db"))
    assert httpx.get(f"{url}/v1/cities").json() == []
    assert "contains none yet" in httpx.get(f"{url}/v1/cities/{CITY}").json()["detail"]
    assert httpx.get(f"{url}/v1/live").status_code == 404


def test_a_city_shows_its_rules_with_defaults_and_its_devices(client: httpx.Client) -> None:
    city = client.get(f"/v1/cities/{CITY}").json()
    assert city["rules"]["period_capture"] == 0.75
    assert city["rules"]["final_after_h"] == 72
    assert city["denominators"]["electricity_meters"] == 21
    assert len(city["devices"]) == 40
    assert city["data_until"] is None


def test_a_city_says_from_when_to_when_there_are_data(tmp_path: Path, serving: Callable[..., str]) -> None:
    store = SqliteStore(tmp_path / "hours.db")
    seed(store)
    put_hours(store, [NOW, NOW + HOUR])
    city = httpx.get(f"{serving(store)}/v1/cities/{CITY}").json()
    assert city["data_from"] == "2026-06-18T12:00:00Z"
    assert city["data_until"] == "2026-06-18T14:00:00Z"
    assert city["window_s"] == 60


def test_the_end_of_the_data_is_told_to_the_window(tmp_path: Path, serving: Callable[..., str]) -> None:
    store = SqliteStore(tmp_path / "windows.db")
    seed(store)
    put_hours(store, [NOW])
    put_windows(store, [NOW - 90_000, NOW - 30_000])
    assert httpx.get(f"{serving(store)}/v1/cities/{CITY}").json()["data_until"] == "2026-06-18T12:20:00Z"


def test_an_unknown_city_is_answered_with_the_nearest_name(client: httpx.Client) -> None:
    answer = client.get("/v1/cities/lindhafen")
    assert answer.status_code == 404
    assert "did you mean 'lindhaven'" in answer.json()["detail"]


def test_the_catalogue_holds_every_kpi_and_says_which_are_derived(client: httpx.Client) -> None:
    entries = {entry["code"]: entry for entry in client.get("/v1/catalogue").json()}
    assert entries.keys() == KPIS.keys()
    assert entries["EN:EN:AQ:1C"]["parts"] == ["pm2_5", "pm10", "no2", "so2", "o3"]
    assert entries["EN:EN:AQ:1C"]["derivable"]
    assert not entries["SC:SH:SI:2C"]["derivable"]
