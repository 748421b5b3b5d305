"""/v1/cities/{city}/unregistered: what arrives and is in no KPI."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import httpx

from adapters.sqlite.store import SqliteStore
from telemetry.partials import fold
from telemetry.readings import Readings
from telemetry.series import Series, SeriesTable
from telemetry.windows import HOUR, MINUTE
from tests.api.city import CITY, NOW, seed


def test_a_misspelt_id_is_listed_with_since_when_how_many_and_the_command(
    tmp_path: Path, serving: Callable[..., str]
) -> None:
    store = SqliteStore(tmp_path / "city.db")
    seed(store)
    names = [("air_reference-1", "no2"), ("air_reference-01", "no2"), ("ev_charger-03", "power"), ("gw", "gw_dirty")]
    table = SeriesTable([Series(CITY, d, q) for d, q in names])
    times = [NOW - 90 * MINUTE, NOW - 4 * MINUTE, NOW - MINUTE]
    readings = Readings.of([s for s in range(4) for _ in times], times * 4, [5.0] * 12)
    store.put_partials("hour", fold(readings, HOUR, table.modulus(readings.series)), table)
    url = serving(store)
    found = httpx.get(f"{url}/v1/cities/{CITY}/unregistered").json()
    assert f'cityvitals_unregistered_devices{{city="{CITY}"}} 2' in httpx.get(f"{url}/metrics").text
    assert (found["city"], found["count"]) == (CITY, 2)
    typo, unlisted = found["devices"]
    assert typo == {
        "device": "air_reference-1", "quantities": ["no2"], "registered": False, "since": "2026-06-18T10:50:00Z",
        "until": "2026-06-18T12:19:00Z", "readings": 3, "nearest": "air_reference-01",
        "text": "air_reference-1 (unregistered in lindhaven) sends no2 since 2026-06-18 12:50, 3 readings: in no KPI;"
        " nearest registered id air_reference-01",
        "command": "cityvitals device add CITY.toml air_reference-1 --like air_reference-01",
    }  # fmt: skip
    assert (unlisted["device"], unlisted["registered"]) == ("ev_charger-03", True)
    assert unlisted["command"] == "cityvitals device add CITY.toml ev_charger-03 --quantity power"


def test_a_city_whose_devices_are_all_registered_lists_none(client: httpx.Client) -> None:
    assert client.get(f"/v1/cities/{CITY}/unregistered").json() == {"city": CITY, "count": 0, "devices": []}
