"""Starts, pauses and a store that is away at the wrong moment change no value."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adapters.sqlite.store import SqliteStore
from ingest.core import CityIngest, Ingest
from registry.city import City
from telemetry.errors import Unavailable
from telemetry.partials import fold
from telemetry.readings import Readings
from telemetry.series import Series
from telemetry.windows import DAY, HOUR, MINUTE

T0 = 1_709_251_200_000  # 2024-03-01T00:00Z
QUARTER = 15 * MINUTE


def city(kind: str, quantity: str, *names: str, **more: Any) -> City:
    devices = [{"id": n, "kind": kind, "quantities": [quantity], **more} for n in names]
    base = {"id": "c", "name": "C", "country": "GB", "timezone": "UTC"}
    return City.model_validate({"city": base, "device": devices})


@pytest.fixture
def serve(tmp_path: Path) -> Callable[[City], CityIngest]:
    """An ingest of the city on the one store, as after a start."""
    store = SqliteStore(tmp_path / "c.db")
    return lambda served: Ingest(store).add_city(served, MINUTE)


def put(ingest: CityIngest, device: str, quantity: str, times: list[int], values: list[float]) -> None:
    table = ingest._table
    found = Readings.of([table.id_of(Series("c", device, quantity))] * len(times), times, values)
    ingest.take(fold(found, MINUTE, table.modulus(found.series)))


def value(ingest: CityIngest, code: str, period: str) -> float | None:
    return next(v.kpi.value for v in ingest.newest() if (v.kpi.code, v.kpi.period) == (code, period))


def session(ingest: CityIngest, charger: str, at: int) -> None:
    put(ingest, charger, "session_energy", [at], [7.0])
    put(ingest, charger, "connected_time", [at], [HOUR / 1000])


def test_a_new_device_in_the_first_batch_after_a_start_while_a_day_becomes_final(
    serve: Callable[[City], CityIngest],
) -> None:
    chargers = city("ev_charger", "session_energy", "e1", "e2")
    ingest = serve(chargers)
    for day in range(4):
        session(ingest, "e1", T0 + day * DAY + 8 * HOUR)
        ingest.derive(T0 + day * DAY + 9 * HOUR)
    again = serve(chargers)
    session(again, "e2", T0 + 4 * DAY + 8 * HOUR)
    again.derive(T0 + 4 * DAY + 9 * HOUR)
    assert value(again, "LOCAL:EV:ENERGY", "2024-03") == 35.0
    final = [v.kpi for v in again.newest() if v.kpi.period == "2024-03-01" and v.kpi.code == "LOCAL:EV:ENERGY"]
    assert [k.status for k in final] == ["partial"]  # one of two chargers was there


def test_a_day_that_ended_while_ingest_was_stopped_gets_its_whole_length(serve: Callable[[City], CityIngest]) -> None:
    chargers = city("ev_charger", "session_energy", "e1")
    ingest = serve(chargers)
    session(ingest, "e1", T0 + 2 * HOUR)
    ingest.derive(T0 + 6 * HOUR)
    assert value(ingest, "LOCAL:EV:UTILISATION", "2024-03-01") == pytest.approx(100 / 6)
    again = serve(chargers)
    again.derive(T0 + 60 * HOUR)
    assert value(again, "LOCAL:EV:UTILISATION", "2024-03-01") == pytest.approx(100 / 24)


def test_a_backlog_whose_hours_could_not_be_read_at_first_is_counted_when_the_store_is_back(
    serve: Callable[[City], CityIngest], monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest = serve(city("electricity_meter", "energy_delta", "m1", interval_s=900))

    def whole_day(day: int) -> None:
        put(ingest, "m1", "energy_delta", [T0 + day * DAY + k * QUARTER for k in range(96)], [1.0] * 96)

    for day in [0, 1, 2, *range(4, 12)]:
        whole_day(day)
        ingest.derive(T0 + (day + 1) * DAY)
    whole_day(3)

    def away(*_words: object) -> Any:
        raise Unavailable("away")

    with monkeypatch.context() as broken:
        broken.setattr(SqliteStore, "partials", away)
        with pytest.raises(Unavailable):
            ingest.derive(T0 + 12 * DAY)
    ingest.derive(T0 + 12 * DAY + HOUR)
    assert value(ingest, "LOCAL:E:METERED", "2024-03-04") == 96.0
    assert value(ingest, "LOCAL:E:METERED", "2024-03") == 12 * 96.0


def test_a_meter_that_is_registered_later_is_in_the_peaks_of_before(serve: Callable[[City], CityIngest]) -> None:
    alone = serve(city("electricity_meter", "energy_total", "m1", interval_s=900))
    for device, step in (("m1", 1.0), ("m2", 3.0)):
        put(alone, device, "energy_total", [T0 + k * QUARTER for k in range(96)], [100 + step * k for k in range(96)])
    alone.derive(T0 + 3 * DAY)
    assert value(alone, "LOCAL:E:PEAK", "2024-03-01") == 4.0
    both = serve(city("electricity_meter", "energy_total", "m1", "m2", interval_s=900))
    both.derive(T0 + 3 * DAY + HOUR)
    assert value(both, "LOCAL:E:PEAK", "2024-03-01") == 16.0
