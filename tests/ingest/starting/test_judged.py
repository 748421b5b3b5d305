"""A start writes the rows of targets beside the values that lack them: all after a change, else the last ones."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest

from adapters.points import Judged, Point
from adapters.store import Store
from adapters.stores import open_store
from ingest.core import serve
from ingest.status import Status
from registry.city import City
from telemetry.kpi_value import KpiQuery, StoredKpi
from telemetry.series import SeriesTable
from telemetry.windows import DAY
from tests.adapters.stores.samples import T0, kpi
from tests.ingest.samples import PutPoints, Values
from tests.servers import InfluxDB

CODE = "EN:EN:AQ:1C"
PLAIN = {"id": "aba", "name": "A", "country": "AA", "timezone": "UTC", "population": 1, "households": 1}


def city(target: float) -> City:
    entry = {"code": CODE, "part": "no2", "value": target, "direction": "lower"}
    return City.model_validate({"city": PLAIN, "target": [entry]})


def days(count: int) -> list[StoredKpi]:
    """One value a day, each of a day later updated a second later."""
    value = {"kind": "day", "code": CODE, "part": "no2", "unit": "ug/m3"}
    return [kpi(n, start=T0 + n * DAY, end=T0 + (n + 1) * DAY, updated=T0 + 1000 * n, **value) for n in range(count)]


class Noted(PutPoints):
    """Returns what was noted last, as a store does. `values`: those that are stored."""

    values: list[StoredKpi]

    def judged(self, _city: str) -> Judged | None:
        notes = [p.fields for put in self.puts for p in put if "judged_by" in p.fields]
        return Judged(str(notes[-1]["judged_by"]), int(notes[-1]["judged_to"] or 0)) if notes else None

    def updated_since(self, _city: str, time: int) -> list[StoredKpi]:
        return [v for v in self.values if v.updated >= time]

    def start(self, target: float) -> tuple[Status, list[int]]:
        """A start with these targets, and of which days it writes rows."""
        before = len(self.puts)
        status = Status(self, city(target), SeriesTable(), Values(self.values))
        return status, self.written(before)

    def written(self, since: int) -> list[int]:
        """The days of the rows beside values."""
        rows = [p for put in self.puts[since:] for p in put if p.measurement == "kpi"]
        return sorted((p.time - T0) // DAY for p in rows)


def test_rows_are_written_beside_all_values_where_targets_have_changed() -> None:
    points = Noted()
    points.values = days(5)
    assert points.start(40.0)[1] == [0, 1, 2, 3, 4]
    assert points.start(40.0)[1] == [4]
    assert points.start(41.0)[1] == [0, 1, 2, 3, 4]


def test_values_whose_rows_a_crash_has_prevented_have_them_after_the_next_start() -> None:
    points = Noted()
    points.values = days(5)
    status, _ = points.start(40.0)
    late = [msgspec.structs.replace(v, updated=T0 + DAY) for v in points.values[:2]]
    status.values(late, [], T0 + DAY)
    others = [msgspec.structs.replace(v, updated=T0 + 2 * DAY) for v in points.values[1:3]]
    points.values = [late[0], *others, *points.values[3:]]  # stored, and then the process was killed
    assert points.start(40.0)[1] == [0, 1, 2, 4]


def test_a_clock_that_was_ahead_hides_no_rows_that_are_missing_later() -> None:
    points = Noted()
    points.values = days(5)
    status, _ = points.start(40.0)
    for now in (T0 + 400 * DAY, T0 + DAY):
        status.values([msgspec.structs.replace(points.values[4], updated=now)], [], now)
    revised = msgspec.structs.replace(points.values[1], updated=T0 + DAY + 1000)
    points.values = [points.values[0], revised, *points.values[2:]]  # stored, and then the process was killed
    assert points.start(40.0)[1] == [1, 4]


@pytest.fixture
def store(influxdb: InfluxDB) -> Iterator[Store]:
    opened = open_store(f"influxdb://{influxdb.host}:{influxdb.port}/judged")
    yield opened
    opened.close()


def test_a_start_with_influxdb_reads_and_writes_few_values(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    assert store.points is not None
    served = serve(store, SeriesTable(), city(40.0), 60_000)
    values = days(30)
    store.put_kpis(values)
    assert served.status is not None
    served.status.values(values, [], T0)
    read, put = list[KpiQuery](), list[Point]()
    monkeypatch.setattr(store, "kpis", read.append)
    monkeypatch.setattr(store.points, "put", put.extend)
    again = serve(store, SeriesTable(), city(40.0), 60_000)
    assert read == []
    assert [v.kpi.time for v in again.newest()] == [T0 + 29 * DAY]
    assert [p.time for p in put if p.measurement == "kpi"] == [T0 + 29 * DAY]


def test_the_newest_values_of_years_are_those_that_are_numbers(store: Store) -> None:
    assert store.points is not None
    year = {"kind": "year", "code": CODE, "part": "no2", "city": "yab"}
    numbers = [1.0, 2.0, None]
    store.put_kpis(
        [kpi(v, start=T0 + n * 365 * DAY, end=T0 + (n + 1) * 365 * DAY, **year) for n, v in enumerate(numbers)]
    )
    store.put_kpis([kpi(5, kind="365d", end=T0 + 400 * DAY, part="no2", code=CODE, city="yab")])
    found = store.points.newest_of_years("yab")
    assert sorted((v.kpi.kind, v.kpi.value) for v in found) == [("365d", 5.0), ("year", 2.0)]
    assert len(store.points.updated_since("yab", 0)) == 4
    assert store.points.updated_since("yab", 1 << 42) == []


def test_what_is_judged_is_read_again(store: Store) -> None:
    assert store.points is not None
    assert store.points.judged("nab") is None
    store.points.put([Judged("abc", 5).point("nab")])
    store.points.put([Judged("abc", 7).point("nab")])
    assert store.points.judged("nab") == Judged("abc", 7)
