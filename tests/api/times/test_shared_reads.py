"""What every reader of a city needs is made once, and again as soon as it differs."""

from __future__ import annotations

from pathlib import Path
from threading import Barrier, Thread
from typing import Any

from adapters.sqlite.store import SqliteStore
from adapters.store import CityRecord
from api.device_reads import Heard, heard
from api.now.for_a_while import ForAWhile
from api.queries import model_of
from api.shared_store import SharedStore
from telemetry.windows import MINUTE

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
