"""What every reader of a city needs is made once, and again as soon as it differs."""

from __future__ import annotations

from pathlib import Path
from threading import Barrier, Thread
from typing import Any, cast

import numpy as np
import pytest

from adapters.sqlite.store import SqliteStore
from adapters.store import CityRecord
from api.device_reads import Heard, heard
from api.live import Hub
from api.metrics import Requests
from api.now import suspects
from api.now.for_a_while import ForAWhile
from api.queries import model_of
from api.routes.hours import one_device
from api.shared_store import SharedStore
from api.state import State
from telemetry.partials import fold
from telemetry.readings import Readings
from telemetry.series import Series, SeriesTable
from telemetry.windows import HOUR, MINUTE

NOW = 1_709_294_400_000


def config(name: str = "Aba", meters: int = 2) -> dict[str, Any]:
    devices = [{"id": f"m{i}", "kind": "electricity_meter", "quantities": ["energy_delta"]} for i in range(meters)]
    return {"city": {"id": "aba", "name": name, "country": "NG", "timezone": "UTC"}, "device": devices}


def test_a_city_file_is_decoded_and_checked_once_until_it_differs(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "s.db")
    store.put_city(CityRecord("aba", config(), MINUTE))
    first, again = store.city("aba"), store.city("aba")
    assert first
    assert again
    assert first is again
    assert model_of(first) is model_of(again)
    other = SqliteStore(tmp_path / "s.db")  # as ingest, which is another process
    other.put_city(CityRecord("aba", config("Other"), MINUTE, {"A": [["b"]]}))
    changed = store.city("aba")
    assert changed
    assert (changed.config["city"]["name"], changed.reads) == ("Other", {"A": [["b"]]})
    assert model_of(changed).city.name == "Other"
    assert model_of(first._replace(config=config())).city.name == "Aba"


def test_clients_that_ask_together_wait_for_one_read(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "s.db")
    city = model_of(CityRecord("aba", config(), MINUTE))
    shared, fleets, start = SharedStore(store), ForAWhile(heard, 5000), Barrier(8)
    found: list[Heard] = []

    def ask() -> None:
        start.wait()
        found.append(fleets.of(city, shared, NOW))

    threads = [Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert all(one is found[0] for one in found)
    assert fleets.of(city, shared, NOW + 4999) is found[0]
    assert fleets.of(city, shared, NOW + 5000) is not found[0]
    larger = model_of(CityRecord("aba", config(meters=3), MINUTE))
    assert len(fleets.of(larger, shared, NOW + 5001).devices) == 3


def test_one_device_costs_no_read_of_the_others(tmp_path: Path) -> None:
    """Hours and names of its own series only: thirty times the devices, the same number of values read."""

    def values_read(meters: int) -> int:
        path, table = tmp_path / f"{meters}.db", SeriesTable([Series("aba", f"m{i}", "no2") for i in range(meters)])
        writing, hours = SqliteStore(path), NOW - 48 * HOUR + HOUR * np.arange(48)
        series = np.repeat(np.arange(meters), 48)
        readings = Readings.of(series, np.tile(hours, meters), np.ones(len(series)))
        writing.put_partials("hour", fold(readings, HOUR, table.modulus(series)), table)
        devices = [{"id": f"m{i}", "kind": "air_reference", "quantities": ["no2"]} for i in range(meters)]
        writing.put_city(CityRecord("aba", config() | {"device": devices}, MINUTE))
        writing.close()
        store, steps = SqliteStore(path), list[int]()
        record, state = store.city("aba"), State(SharedStore(store), cast(Hub, None), Requests(), lambda: NOW)
        assert record
        state.suspects.of(model_of(record), state.store, NOW)  # judged once an hour, from all stations
        store._db.set_progress_handler(lambda: steps.append(1), 100)
        found = one_device(record, "m3", state)
        store._db.set_progress_handler(None, 0)
        assert (found["device"]["state"], found["gaps"][0]["hours"]) == (
            "silent",
            119,
        )  # of 168 hours, this one included
        return len(steps)

    assert values_read(300) <= 2 * values_read(10) + 2


def test_stations_that_could_not_be_judged_are_judged_at_the_next_request(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    store, city = cast(SharedStore, None), model_of(CityRecord("aba", config(), MINUTE))
    outcomes = iter([ValueError("a fault"), {"a1": 2}])

    def judged(*_: object) -> Any:
        if isinstance(found := next(outcomes), Exception):
            raise found
        return found

    monkeypatch.setattr(suspects, "suspects_of", judged)
    made = suspects.Suspects(wait_s=60)
    assert made.of(city, store, NOW) is None
    assert "a fault" in caplog.text
    assert made.of(city, store, NOW) == {"a1": 2}
