"""/v1/cities and /v1/catalogue."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.sqlite.store import SqliteStore
from adapters.store import Heartbeat
from kpi_derivation.catalogue import KPIS
from telemetry.periods import iso
from telemetry.windows import DAY, HOUR, MINUTE
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


def described(store: SqliteStore, serving: Callable[..., str]) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(f"{serving(store)}/v1/cities/{CITY}").json()
    return found


def seeded(folder: Path) -> SqliteStore:
    store = SqliteStore(folder / "city.db")
    seed(store)
    return store


def test_a_city_says_from_when_to_when_there_are_data(tmp_path: Path, serving: Callable[..., str]) -> None:
    store = seeded(tmp_path)
    put_hours(store, [NOW - HOUR])
    city = described(store, serving)
    assert city["data_from"] == iso((NOW - HOUR) // HOUR * HOUR)
    assert city["data_until"] == iso((NOW - HOUR) // MINUTE * MINUTE + MINUTE)
    assert city["window_s"] == 60


def test_the_end_of_the_data_is_that_of_the_newest_window(tmp_path: Path, serving: Callable[..., str]) -> None:
    store = seeded(tmp_path)
    put_hours(store, [NOW])
    put_windows(store, [NOW - 90_000, NOW - 30_000])
    assert described(store, serving)["data_until"] == "2026-06-18T12:20:00Z"


@pytest.mark.parametrize(
    "of",
    [
        ("gateway-1", "gw_stored"),  # what a gateway counts of itself
        ("air_reference-01", "ledger_received"),  # and of a device's records
        ("air_reference-99", "no2"),  # a device of no city file
        ("air_reference-01", "humidity"),  # a quantity that its entry does not list
    ],
)
def test_only_readings_of_registered_devices_count(
    of: tuple[str, str], tmp_path: Path, serving: Callable[..., str]
) -> None:
    store = seeded(tmp_path)
    put_hours(store, [NOW - 2 * DAY])
    put_windows(store, [NOW - 60_000], of)
    put_hours(store, [NOW - 60_000], of)
    assert described(store, serving)["data_until"] == iso((NOW - 2 * DAY) // MINUTE * MINUTE + MINUTE)


@pytest.mark.parametrize("ahead", [MINUTE, HOUR, 400 * DAY])
def test_the_future_is_no_reading(ahead: int, tmp_path: Path, serving: Callable[..., str]) -> None:
    store = seeded(tmp_path)
    for put in (put_hours, put_windows):
        put(store, [NOW - 30_000])
        put(store, [NOW + ahead])
    until = described(store, serving)["data_until"]
    assert until == iso((NOW - 30_000) // MINUTE * MINUTE + MINUTE)
    assert until <= iso(NOW)


def test_a_recorded_year_ends_where_it_ends(tmp_path: Path, serving: Callable[..., str]) -> None:
    store = seeded(tmp_path)
    at = NOW - 3000 * DAY
    put_hours(store, [at, at - DAY])
    put_hours(store, [NOW], ("gateway-1", "gw_stored"))
    city = described(store, serving)
    assert city["data_until"] == iso(at // MINUTE * MINUTE + MINUTE)
    assert city["silence"] == {"stage": "readings", "since": city["data_until"]}


@pytest.mark.parametrize(
    ("beats", "heard", "stage"),
    [
        ({"ingest": 5, "gateway": 5}, 30, None),
        ({"ingest": 5, "gateway": 5}, 7200, "sensors"),
        ({"ingest": 5, "gateway": 900}, 7200, "gateway"),
        ({"ingest": 900, "gateway": 900}, 7200, "ingest"),
        ({"ingest": 900, "gateway": 900}, 30, "ingest"),
        ({}, 30, None),
        ({}, 7200, "readings"),
    ],
)
def test_what_is_silent_is_the_first_part_that_was_not_heard(
    beats: dict[str, int], heard: int, stage: str | None, tmp_path: Path, serving: Callable[..., str]
) -> None:
    store = seeded(tmp_path)
    put_hours(store, [NOW - heard * 1000])
    store.put_heartbeats(Heartbeat(role, "one", NOW - ago * 1000) for role, ago in beats.items())
    store.put_heartbeats([Heartbeat("gateway", "of long ago", NOW - 3 * DAY)] if "gateway" in beats else [])
    city = described(store, serving)
    since = {"sensors": city["data_until"], "readings": city["data_until"], None: None}
    role_at = {role: iso(NOW - ago * 1000) for role, ago in beats.items()}
    expected = None if stage is None else {"stage": stage, "since": since.get(stage, role_at.get(stage))}
    assert city["silence"] == expected


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
