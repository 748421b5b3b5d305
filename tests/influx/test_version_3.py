"""What is different with InfluxDB 3, on a stand-in that refuses what its documents say it refuses."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from adapters.influx.http import Answer, Connection
from adapters.influx.policies import Policies
from adapters.influx.url import parse
from adapters.store import CityRecord, Kept
from adapters.stores import open_store
from registry.config import load_settings
from telemetry.errors import CityVitalsError, Unavailable, UsageError
from telemetry.kpi_value import KpiQuery
from telemetry.series import Series, SeriesTable
from telemetry.windows import DAY, MINUTE
from tests.adapters.stores.answers import canned
from tests.adapters.stores.samples import kpi, partials, read, values
from tests.influx.stand_in import InfluxDB3, stand_in
from tests.servers import InfluxDB

NOW = time.time_ns() // 1_000_000
RECORD = CityRecord("aba", {"city": {"id": "aba"}}, MINUTE)
ROWS = msgspec.json.Decoder(Answer[list[Any]])


@pytest.fixture
def server(influxdb: InfluxDB, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[InfluxDB3]:
    with stand_in(influxdb, prefix=f"{request.node.name}-") as made:
        monkeypatch.setenv("CITYVITALS__STORE__TOKEN", made.token)
        yield made


@pytest.fixture
def url(server: InfluxDB3) -> str:
    return f"influxdb3://127.0.0.1:{server.port}/city"


def test_it_is_written_and_asked_as_documented(server: InfluxDB3, url: str) -> None:
    store = open_store(url)
    store.put_kpis([kpi()])
    assert store.kpis(KpiQuery("aba")) == [kpi()]
    assert set(server.asked) == {
        "POST /api/v3/configure/database",
        "GET /api/v3/configure/database?format=json",
        "POST /api/v3/write_lp?db=city&precision=millisecond&accept_partial=true&no_sync=false",
        "POST /query",
    }


def test_that_rewritten_rows_are_not_sure_is_said(url: str, caplog: pytest.LogCaptureFixture) -> None:
    open_store(url)
    assert "does not guarantee which value it keeps" in caplog.text


def test_without_a_token_the_setting_is_named(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CITYVITALS__STORE__TOKEN")
    with pytest.raises(CityVitalsError, match=r"rejected the credentials.*CITYVITALS__STORE__TOKEN\."):
        open_store(url).put_kpis([kpi()])


def test_refused_lines_are_set_aside_and_the_others_are_stored(url: str) -> None:
    connection = Connection(parse(url))
    connection.write("state,city=a n=1i 0")
    connection.write('state,city=a n=2i 1000\nstate,city=a n="x" 2000\nstate,city=a n=3i 3000\nstate,town=a n=1i 4000')
    refused = dict(connection.take_refused())
    assert list(refused) == ['state,city=a n="x" 2000', "state,town=a n=1i 4000"]
    assert "1 lines refused: invalid column type for column 'n'" in refused['state,city=a n="x" 2000']
    assert [row[1] for piece in connection.query('SELECT "n" FROM "state"', ROWS) for row in piece.values] == [1, 2, 3]


def test_a_request_that_is_too_large_is_divided(server: InfluxDB3, url: str) -> None:
    server.largest = 100
    connection = Connection(parse(url))
    connection.write("\n".join(f"state,city=a n={i}i {i}000" for i in range(30)))
    assert connection.take_refused() == []
    assert sum(len(piece.values) for piece in connection.query('SELECT "n" FROM "state"', ROWS)) == 30


def test_a_database_that_is_dropped_is_made_again_with_the_city(server: InfluxDB3, url: str) -> None:
    store = open_store(url)
    store.put_city(RECORD)
    server.drop("city")
    with pytest.raises(Unavailable, match="does not exist any more"):
        store.cities()
    store.put_kpis([kpi()])
    assert (values(store.kpis(KpiQuery("aba"))), store.cities()) == ([kpi().kpi.value], [RECORD])


@pytest.mark.parametrize("made_before", [False, True])
def test_with_a_retention_what_begins_before_it_has_a_database_of_its_own(
    server: InfluxDB3, url: str, made_before: bool
) -> None:
    with server.lock:
        server._configure({"db": "city", "retention_period": "30d"})
        if made_before:
            server._configure({"db": "city/forever"})
    store, start = open_store(url), (NOW - 300 * DAY) // DAY * DAY
    store.put_city(RECORD)
    store.put_kpis([kpi(1.0, kind="day", start=start, end=start + DAY, updated=NOW)])
    other = open_store(url)
    assert (values(other.kpis(KpiQuery("aba"))), other.cities()) == ([1.0], [RECORD])
    assert sorted(server.databases) == ["city", "city/forever"]


def test_a_device_keeps_its_site_without_show_series(url: str) -> None:
    first = open_store(url)
    first.put_city(CityRecord("aba", {"city": {"id": "aba"}, "device": [{"id": "a", "site": "north"}]}, MINUTE))
    table = SeriesTable()
    first.put_partials("window", partials(table, ("a", 0, 1.0)), table)
    second = open_store(url)
    second.put_city(CityRecord("aba", {"city": {"id": "aba"}, "device": [{"id": "a", "site": "south"}]}, MINUTE))
    again = SeriesTable()
    second.put_partials("window", partials(again, ("a", 0, 2.0)), again)
    found = SeriesTable()
    assert read(second, found).last.tolist() == [2.0]
    assert [(name.device, name.city) for name in found.all] == [("a", "aba")]
    assert isinstance(found.all[0], Series)


def test_rows_are_not_deleted_and_nothing_is_noted_as_deleted(url: str) -> None:
    store = open_store(url)
    for call in (
        lambda: store.put_kept("aba", "window", Kept(1, 0, 2)),
        lambda: store.delete_partials("aba", "window", 0, DAY, 10),
    ):
        with pytest.raises(UsageError, match=r"cannot delete rows. Take out store.keep_windows_days"):
            call()
    assert store.kept("aba", "window") is None


def test_a_configuration_that_would_delete_rows_is_refused() -> None:
    days = {"CITYVITALS__STORE__KEEP_WINDOWS_DAYS": "30", "CITYVITALS__STORE__URL": "influxdb3://db/city"}
    with pytest.raises(UsageError, match="InfluxDB 3 cannot delete rows"):
        load_settings(None, days)
    assert load_settings(None, {**days, "CITYVITALS__STORE__URL": "influxdb://db/city"}).store.keep_windows_days == 30


def test_retention_policies_are_read_by_the_names_of_their_columns() -> None:
    """InfluxDB 1.12 has two columns more than 1.6, which stand before `default`."""
    columns = ["name", "duration", "shardGroupDuration", "replicaN", "futureWriteLimit", "pastWriteLimit", "default"]
    rows = [
        ["autogen", "720h0m0s", "24h0m0s", 1, "0s", "0s", True],
        ["forever", "0s", "168h0m0s", 1, "0s", "0s", False],
    ]
    answer = {"results": [{"series": [{"columns": columns, "values": rows}]}]}
    with canned(200, msgspec.json.encode(answer)) as server:
        assert Policies(Connection(parse(f"influxdb://127.0.0.1:{server.port}/city"))).apart
