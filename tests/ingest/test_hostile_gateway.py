"""A gateway with a valid certificate that sends what is not its own, or what no instrument can have measured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from adapters.sqlite.rejects import Rejects
from adapters.stores import open_store
from ingest import senders
from ingest.core import UNCONFIGURED, Ingest
from ingest.service import Service
from registry.city import City
from telemetry.kpi_value import KpiQuery
from telemetry.series import SeriesTable
from telemetry.windows import DAY, MINUTE
from tests.ingest.samples import NOW, T0, NoNetwork, city, windows


class Hub:
    """One ingest over a store, and gateways that send to it."""

    def __init__(self, folder: Path, store: str, of: City | None) -> None:
        self.store = open_store(store)
        self.rejects = Rejects.open(folder / "rejects.db")
        self.link = NoNetwork([])
        ingest = Ingest(self.store)
        if of:
            ingest.add_city(of, MINUTE)
        self.service = Service(ingest, self.link, self.rejects, lambda: NOW)  # type: ignore[arg-type]

    def send(self, gateway: str, *messages: bytes) -> list[str]:
        """The reasons for which they are refused."""
        before = self.rejects.count()
        self.link.gateway = gateway
        self.link.batches = [list(messages)]
        self.service.step()
        return [r.reason for r in self.rejects.newest(self.rejects.count() - before)] if messages else []

    def held(self, name: str = "aba") -> dict[str, int]:
        table, found = SeriesTable(), dict[str, int]()
        for part in self.store.partials(name, "window", T0 - DAY, T0 + DAY, table):
            for series in part.series.tolist():
                found[table[series].device] = found.get(table[series].device, 0) + 1
        return found


@pytest.fixture(params=["sqlite", "influxdb"])
def url(request: pytest.FixtureRequest, tmp_path: Path, influxdb: Any) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/store.db"
    return f"influxdb://{influxdb.host}:{influxdb.port}/hostile-{tmp_path.name}"


def forged(**fields: float) -> bytes:
    """One window of m1 with these fields."""
    message = msgspec.json.decode(windows(0))
    return msgspec.json.encode(message | {name: [value] for name, value in fields.items()})


@pytest.mark.parametrize(
    "fields",
    [
        {"increase": 1e308}, {"increase": 1e15}, {"sum": 1e308}, {"sum": -1e6}, {"max": 1e300}, {"first": -1e300},
        {"last": 1e300}, {"sumsq": 1e308}, {"sumsq": -1.0}, {"min": 2.0, "max": 1.0}, {"increase": -5.0},
    ],
)  # fmt: skip
def test_values_that_no_instrument_can_have_are_refused_whatever_the_store(
    tmp_path: Path, url: str, fields: dict[str, float]
) -> None:
    hub = Hub(tmp_path, url, city())
    [reason] = hub.send("gw", forged(**fields))
    assert "outside the range" in reason
    assert hub.held() == {}
    assert [k.kpi.value for k in hub.store.kpis(KpiQuery("aba")) if k.kpi.value] == []
    assert hub.send("gw", windows(0, 1)) == []
    assert hub.held() == {"m1": 2}


def test_a_device_is_the_gateways_that_sent_it_first(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/store.db"
    hub = Hub(tmp_path, store, city())
    assert hub.send("gw", windows(0, 1)) == []
    [reason] = hub.send("evil", windows(0, 1, kwh=9.0), windows(2, device="m2"))
    assert "device 'm1' is sent by gateway 'gw'" in reason
    assert hub.held() == {"m1": 2, "m2": 1}
    hub.rejects.db.close()
    hub = Hub(tmp_path, store, city())  # that holds over a restart
    assert len(hub.send("evil", windows(3))) == 1


def test_a_registry_entry_says_which_gateways_may_send_a_device(tmp_path: Path) -> None:
    registered = city().model_dump()
    registered["device"][0]["gateway"] = ["one", "two"]
    hub = Hub(tmp_path, f"sqlite:///{tmp_path}/store.db", City.model_validate(registered))
    assert hub.send("one", windows(0)) == []
    assert hub.send("two", windows(1)) == []
    assert "registered for gateway one, two" in hub.send("three", windows(2))[0]


def test_a_city_says_which_gateways_share_its_devices(tmp_path: Path) -> None:
    shared = city().model_dump()
    shared["city"]["gateways"] = ["one", "two"]
    shared["device"][1]["gateway"] = ["two"]
    hub = Hub(tmp_path, f"sqlite:///{tmp_path}/store.db", City.model_validate(shared))
    assert hub.send("one", windows(0), windows(0, device="unregistered")) == []
    assert hub.send("two", windows(1), windows(1, device="m2"), windows(1, device="unregistered")) == []
    assert hub.send("three", windows(2)) == [
        "the gateways of city 'aba' are one, two; 'three' may send none of its devices"
    ]
    assert hub.send("one", windows(2, device="m2")) == ["device 'm2' is registered for gateway two"]
    assert hub.held() == {"m1": 2, "m2": 1, "unregistered": 2}


def test_windows_of_a_city_on_the_topic_of_another_are_refused(tmp_path: Path) -> None:
    hub = Hub(tmp_path, f"sqlite:///{tmp_path}/store.db", city())
    hub.link._topic = lambda payload: "cv/1/other/gw/windows"  # type: ignore[method-assign]
    assert hub.send("gw", windows(0)) == ["windows of city 'aba' on the topic of another"]


def test_invented_cities_are_refused_once_there_are_a_few(tmp_path: Path) -> None:
    hub = Hub(tmp_path, f"sqlite:///{tmp_path}/store.db", city())
    refused = hub.send("gw", *(windows(0, name=f"invented{i}") for i in range(200)), windows(0))
    assert len(refused) == 200 - UNCONFIGURED
    assert hub.held() == {"m1": 1}


def test_unregistered_devices_of_a_gateway_are_bounded_and_registered_ones_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A city with more devices at one gateway than the bound, all in its file; also after a restart."""
    monkeypatch.setattr(senders, "MOST", 3)
    large = city().model_dump()
    large["device"] = [large["device"][0] | {"id": f"m{n}"} for n in range(10)]
    for restart, wrong in enumerate((["x03"], ["x10", "x11", "x12", "x13"])):
        hub = Hub(tmp_path, f"sqlite:///{tmp_path}/store.db", City.model_validate(large))
        assert hub.send("gw", *(windows(restart, device=f"m{n}") for n in range(5 * restart, 5 * restart + 5))) == []
        reasons = hub.send("gw", *(windows(restart, device=f"x{restart}{n}") for n in range(4)))
        assert sorted(reasons) == [f"device '{name}' is one more than 3 of gateway 'gw'; register it" for name in wrong]
    assert hub.send("gw", windows(2, device="x00")) == []
    assert len(hub.held()) == 10 + 3


def test_what_is_not_accepted_takes_no_memory_for_its_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(senders, "MOST", 3)
    hub = Hub(tmp_path, f"sqlite:///{tmp_path}/store.db", city())
    assert hub.send("gw", windows(0), *(windows(0, device=f"x{n}") for n in range(3))) == []
    table = hub.service.ingest.table
    known, before = set(table.all), len(table)
    assert len(hub.send("gw", *(windows(1, device=f"x{n}") for n in range(100)))) == 97
    assert len(hub.send("other", *(windows(1, device="m1") for _ in range(2)))) == 2
    assert (len(table), set(table.all)) == (before, known)
