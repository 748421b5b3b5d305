"""What one more meter takes in the memory of an ingest: names are stored once, and what is looked up by id too."""

from __future__ import annotations

import gc
import tracemalloc
from pathlib import Path

from adapters.sqlite.rejects import Rejects
from adapters.stores import open_store
from ingest.core import Ingest
from ingest.service import Service
from registry.city import City
from telemetry.partials import fold
from telemetry.readings import Readings
from telemetry.series import Series, SeriesTable
from telemetry.windows import MINUTE
from telemetry.wire import decode, encode
from tests.ingest.samples import T0, NoNetwork

_FEW, _MANY = 1000, 3000
_MOST = 1400  # bytes; 1,217 were measured, 1,676 with a text for each use and a table of ids for each part


def _city(meters: int) -> City:
    head = {"id": "aba", "name": "Aba", "country": "NG", "timezone": "Africa/Lagos", "population": 1000}
    entry = {"kind": "electricity_meter", "quantities": ["energy_total"], "interval_s": 10.0}
    return City.model_validate({"city": head, "device": [{"id": f"m{n}"} | entry for n in range(meters)]})


def _message(meters: int) -> bytes:
    """A window of each, with two readings."""
    table = SeriesTable(Series("aba", f"m{n}", "energy_total") for n in range(meters))
    times = [T0 + second * 1000 for second in (0, 10)] * meters
    values = [1000.0 + step for n in range(meters) for step in (n, n + 0.25)]
    found = Readings.of([n for n in range(meters) for _ in range(2)], times, values)
    return encode("aba", MINUTE, fold(found, MINUTE, table.modulus(found.series)), table)


def _objects(folder: Path, meters: int) -> int:
    """Bytes of the objects of an ingest, without arrays of NumPy, once it has stored a window of each meter."""
    folder.mkdir()
    message, link = _message(meters), NoNetwork([])
    gc.collect()
    tracemalloc.start()
    try:
        ingest = Ingest(open_store(f"sqlite:///{folder}/store.db"))
        ingest.add_city(_city(meters), MINUTE)
        service = Service(ingest, link, Rejects.open(folder / "rejects.db"), lambda: T0 + MINUTE)  # type: ignore[arg-type]
        link.batches = [[message]]
        service.step()
        assert len(link.acknowledged) == 1
        link.acknowledged.clear()
        gc.collect()
        objects = tracemalloc.take_snapshot().filter_traces([tracemalloc.DomainFilter(inclusive=True, domain=0)])
    finally:
        tracemalloc.stop()
    assert service.ingest.table.find(Series("aba", f"m{meters - 1}", "energy_total")) is not None
    return sum(trace.size for trace in objects.traces)


def test_objects_of_a_meter(tmp_path: Path) -> None:
    _objects(tmp_path / "first", _FEW)  # what is made once
    few = _objects(tmp_path / "few", _FEW)
    assert (_objects(tmp_path / "many", _MANY) - few) / (_MANY - _FEW) < _MOST


def test_a_series_has_the_texts_of_the_city_file(tmp_path: Path) -> None:
    ingest, city = Ingest(open_store(f"sqlite:///{tmp_path}/store.db")), _city(2)
    ingest.add_city(city, MINUTE)
    ingest.take("aba", decode(_message(2), ingest.table)[2])
    one, other = ingest.table[0], ingest.table[1]
    assert one.device is city.device[0].id
    assert one.city is other.city
    assert one.quantity is other.quantity


def test_a_copy_of_a_city_with_other_devices_has_these_by_id() -> None:
    city = _city(3)
    assert list(city.by_id) == ["m0", "m1", "m2"]
    assert city.by_id is city.by_id
    other = city.model_copy(update={"device": city.device[1:]})
    assert list(other.by_id) == ["m1", "m2"]
    assert list(city.by_id) == ["m0", "m1", "m2"]
    assert city == _city(3)
