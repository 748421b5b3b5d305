"""A database with a retention: KPI values of long periods, their order, city files and rows of devices are kept.

They are stored in a retention policy of their own without a limit; windows follow the retention of the database.
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from adapters.influx.policies import Policies
from adapters.points import Point
from adapters.store import CityRecord, Store
from adapters.stores import open_store
from telemetry.kpi_value import KpiQuery, StoredKpi
from telemetry.series import SeriesTable
from telemetry.windows import DAY, MINUTE
from tests.adapters.stores.samples import kpi, partials, values
from tests.adapters.stores.strict import strict
from tests.adapters.stores.test_influx_access import WithPasswords
from tests.servers import InfluxDB

NOW = time.time_ns() // 1_000_000
RECORD = CityRecord("aba", {"city": {"id": "aba"}}, MINUTE)
DEVICE = Point("device", {"city": "aba", "device": "m1"}, {"silent_after": 5, "state_since": 7.0}, 0)


@pytest.fixture
def limited(influxdb: InfluxDB, influx_url: str) -> str:
    """The URL of an existing database that keeps 30 days."""
    influxdb.query(f'CREATE DATABASE "{influx_url.rpartition("/")[2]}" WITH DURATION 30d')
    return influx_url


def old(value: float, days: int = 300) -> StoredKpi:
    return day(value, (NOW - days * DAY) // DAY * DAY)


def day(value: float, start: int) -> StoredKpi:
    return kpi(value, kind="day", start=start, end=start + DAY, updated=NOW)


def ordered(store: Store) -> list[tuple[int, float | None]]:
    return [(number, change.kpi.value) for number, change in store.changes("aba", 0, 100)]


def test_what_begins_before_the_retention_is_stored_and_read(limited: str) -> None:
    store = open_store(limited)
    store.put_city(RECORD)
    store.put_kpis([old(1.0), day(2.0, NOW // DAY * DAY)])
    assert store.points is not None
    store.points.put([DEVICE, Point("registry", {"city": "aba"}, {"name": "Aba"}, 0)])
    assert store.set_aside() == []
    other = open_store(limited)
    assert values(other.kpis(KpiQuery("aba"))) == [1.0, 2.0]
    assert ordered(other) == [(1, 1.0), (2, 2.0)]
    assert other.cities() == [RECORD]
    assert other.points is not None
    assert [(n.device, n.value) for n in other.points.newest("aba")] == [("m1", 7.0)]


def test_readers_that_name_no_policy_find_what_the_retention_allows(limited: str, influxdb: InfluxDB) -> None:
    open_store(limited).put_kpis([old(1.0), day(2.0, NOW // DAY * DAY)])
    found = influxdb.query('SELECT "value" FROM "kpi"', limited.rpartition("/")[2])
    assert [row["value"] for row in found] == [2.0]


def test_a_database_without_a_retention_is_as_it_was(influx_url: str, influxdb: InfluxDB) -> None:
    store = open_store(influx_url)
    store.put_city(RECORD)
    store.put_kpis([old(1.0)])
    database = influx_url.rpartition("/")[2]
    assert [row["name"] for row in influxdb.query(f'SHOW RETENTION POLICIES ON "{database}"')] == ["autogen"]
    assert [row["value"] for row in influxdb.query('SELECT "value" FROM "kpi"', database)] == [1.0]


def test_an_existing_store_is_upgraded_with_the_numbers_of_its_changes(
    limited: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as before:
        before.setattr(Policies, "_look_up", lambda _: False)
        earlier = open_store(limited)
        earlier.put_city(RECORD)
        earlier.put_kpis([old(3.0, days=10), old(1.0, days=5)])
        earlier.put_kpis([old(9.0, days=10)])
        assert ordered(earlier) == [(2, 1.0), (3, 9.0)]
    upgraded = open_store(limited)
    assert upgraded.cities() == [RECORD]  # also before its ingest has started
    upgraded.put_city(RECORD)
    upgraded.put_kpis([old(4.0)])
    assert ordered(open_store(limited)) == [(2, 1.0), (3, 9.0), (4, 4.0)]
    assert upgraded.set_aside() == []


def test_a_program_that_runs_sees_the_policy_that_another_has_made(
    limited: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.influx.policies._AGAIN_S", 0.0)
    reader = open_store(limited)
    with monkeypatch.context() as before:
        before.setattr(Policies, "_look_up", lambda _: False)
        assert reader.cities() == []
    open_store(limited).put_city(RECORD)
    assert reader.cities() == [RECORD]


def test_a_policy_that_is_dropped_is_made_again_with_the_city(limited: str, influxdb: InfluxDB) -> None:
    store = open_store(limited)
    store.put_city(RECORD)
    influxdb.query(f'DROP RETENTION POLICY "forever" ON "{limited.rpartition("/")[2]}"')
    for _ in range(2):
        try:
            store.put_kpis([old(1.0)])
        except Exception as error:  # noqa: BLE001 - what counts is that the next attempt succeeds
            assert "does not exist any more" in str(error)  # noqa: PT017
    assert values(store.kpis(KpiQuery("aba"))) == [1.0]
    assert store.cities() == [RECORD]


def test_a_user_who_may_not_make_a_policy_is_given_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with WithPasswords(tmp_path) as server:
        server.execute("CREATE USER root WITH PASSWORD 'root' WITH ALL PRIVILEGES")
        server.execute(
            'CREATE DATABASE "city" WITH DURATION 30d; CREATE USER u WITH PASSWORD \'p\'; GRANT ALL ON "city" TO u'
        )
        monkeypatch.setenv("CITYVITALS__STORE__USERNAME", "u")
        monkeypatch.setenv("CITYVITALS__STORE__PASSWORD", "p")
        url = f"influxdb://127.0.0.1:{server.port}/city"
        store = open_store(url)
        store.put_city(RECORD)
        store.put_kpis([old(1.0), day(2.0, NOW // DAY * DAY)])
        assert len(store.set_aside()) == 1
        assert values(store.kpis(KpiQuery("aba"))) == [2.0]
        [command] = [m.partition("run: ")[2] for m in caplog.messages if "administrator" in m]
        server.execute(command)
        again = open_store(url)
        again.put_city(RECORD)
        again.put_kpis([old(1.0)])
        assert (again.set_aside(), values(again.kpis(KpiQuery("aba")))) == ([], [1.0, 2.0])


@pytest.mark.parametrize("mapped", [True, False])
def test_of_influxdb_2_the_bucket_beside_is_used_where_it_is_mapped(
    mapped: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stand-in that answers as the documents of InfluxDB 2 say; buckets are `city` and `city/forever`."""
    monkeypatch.setenv("CITYVITALS__STORE__TOKEN", "secret")
    with strict(1, NOW - 30 * DAY, 1 << 20) as server:
        server.trouble.clear()
        server.policies = ["autogen", "forever"] if mapped else ["autogen"]
        store = open_store(f"influxdb2://127.0.0.1:{server.port}/city?org=o")
        store.put_kpis([old(1.0), day(2.0, NOW // DAY * DAY)])
        kept = [line for line in server.kept if line.startswith("kpi,")]
        assert len(kept) == (2 if mapped else 0)
        assert len([line for line in server.lines if line.startswith("kpi,")]) == 1
        assert len(store.set_aside()) == (0 if mapped else 1)


def test_of_a_real_influxdb_2_what_begins_before_the_retention_is_stored_and_read(limited2_url: str) -> None:
    store = open_store(limited2_url)
    store.put_city(RECORD)
    store.put_kpis([old(1.0), day(2.0, NOW // DAY * DAY)])
    assert store.points is not None
    store.points.put([DEVICE])
    assert store.set_aside() == []
    other = open_store(limited2_url)
    assert values(other.kpis(KpiQuery("aba"))) == [1.0, 2.0]
    assert ordered(other) == [(1, 1.0), (2, 2.0)]
    assert other.cities() == [RECORD]
    assert other.points is not None
    assert [(n.device, n.value) for n in other.points.newest("aba")] == [("m1", 7.0)]
    table = SeriesTable()
    store.put_partials("window", partials(table, ("a", 0, 1.0)), table)  # of a time before the retention
    assert len(store.set_aside()) == 1
