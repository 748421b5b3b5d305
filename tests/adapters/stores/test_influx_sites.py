"""A device's points carry one site permanently, so that no series is counted twice."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.store import CityRecord, Store
from adapters.stores import open_store
from telemetry.series import SeriesTable
from telemetry.windows import MINUTE
from tests.adapters.stores.samples import T0, partials, read, rows
from tests.servers import InfluxDB


class Probe:
    """A store and a look at the tags it writes."""

    def __init__(self, influxdb: InfluxDB, url: str) -> None:
        self.influxdb, self.url = influxdb, url
        self.store: Store = open_store(url)

    def city(self, **sites: str) -> None:
        config: dict[str, Any] = {"device": [{"id": device, "site": site} for device, site in sites.items()]}
        self.store.put_city(CityRecord("aba", config, MINUTE))

    def put(self, device: str, minute: int, value: float) -> None:
        table = SeriesTable()
        self.store.put_partials("window", partials(table, (device, minute, value)), table)

    def sites(self) -> list[tuple[str, str, float]]:
        query = 'SELECT "sum", "device", "site" FROM "window"'
        found = self.influxdb.query(query, self.url.rpartition("/")[2])
        return sorted((row["device"], row["site"], row["sum"]) for row in found)


@pytest.fixture
def probe(influxdb: InfluxDB, influx_url: str) -> Probe:
    return Probe(influxdb, influx_url)


def test_the_site_comes_from_the_city_file(probe: Probe) -> None:
    probe.city(a="Main St, 4 = µ")
    probe.put("a", 0, 1.0)
    assert probe.sites() == [("a", "Main St, 4 = µ", 1.0)]


def test_a_device_without_site_or_entry_has_a_dash(probe: Probe) -> None:
    probe.city(a="")
    probe.put("a", 0, 1.0)
    probe.put("unlisted", 0, 1.0)
    assert probe.sites() == [("a", "-", 1.0), ("unlisted", "-", 1.0)]


def test_a_site_that_cannot_be_a_tag_is_replaced(probe: Probe) -> None:
    probe.city(a="C:\\yard\n")
    probe.put("a", 0, 1.0)
    assert probe.sites() == [("a", "C:_yard_", 1.0)]


def test_a_device_with_data_keeps_its_site_when_the_city_file_changes(probe: Probe) -> None:
    probe.city(a="north")
    probe.put("a", 0, 1.0)
    probe.city(a="south")
    probe.put("a", 0, 2.0)
    assert probe.sites() == [("a", "north", 2.0)]


@pytest.mark.parametrize("site", ["north", "Main St, 4 = µ, x=y", "-", "a,device=b"])
def test_a_device_keeps_its_site_over_a_restart(probe: Probe, site: str) -> None:
    probe.city(a=site)
    probe.put("a", 0, 1.0)
    probe.city(a="south")
    probe.store.close()
    probe.store = open_store(probe.url)
    probe.put("a", 0, 2.0)
    assert probe.sites() == [("a", site, 2.0)]


def test_a_device_first_seen_without_entry_keeps_the_dash(probe: Probe) -> None:
    probe.put("a", 0, 1.0)
    probe.city(a="north")
    probe.put("a", 0, 2.0)
    assert probe.sites() == [("a", "-", 2.0)]


def test_a_device_listed_later_gets_its_site(probe: Probe) -> None:
    probe.city(a="north")
    probe.put("a", 0, 1.0)
    open_store(probe.url).put_city(CityRecord("aba", {"device": [{"id": "b", "site": "east"}]}, MINUTE))
    probe.put("b", 0, 1.0)
    assert probe.sites() == [("a", "north", 1.0), ("b", "east", 1.0)]


def test_the_hour_carries_the_site_of_the_windows(probe: Probe) -> None:
    table = SeriesTable()
    probe.city(a="north")
    probe.put("a", 0, 1.0)
    probe.city(a="south")
    probe.store.put_partials("hour", partials(table, ("a", 0, 1.0)), table)
    found = probe.influxdb.query('SELECT "n", "site" FROM "hour"', probe.url.rpartition("/")[2])
    assert [row["site"] for row in found] == ["north"]


def test_a_window_that_others_wrote_under_two_sites_is_read_once(probe: Probe) -> None:
    probe.put("a", 0, 1.0)
    fields = (
        "special=0i,n=1i,first_t=1i,last_t=1i,flagged=0i,lag=0i,sum=1,min=1,max=1,sumsq=1,first=1,last=1,increase=1"
    )
    probe.influxdb.write(probe.url.rpartition("/")[2], f"window,city=aba,device=a,quantity=no2,site=x {fields} {T0}")
    table = SeriesTable()
    assert rows(read(probe.store, table), table) == [("a", 0, 1.0)]
