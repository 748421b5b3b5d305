"""Checkpoints in InfluxDB, which has no transactions: kills between requests, lost and damaged databases."""

from __future__ import annotations

import contextlib
import os

import pytest

from adapters.influx.http import Connection
from adapters.influx.states import InfluxStates
from adapters.stores import open_store
from telemetry.errors import Unavailable
from telemetry.series import SeriesTable
from telemetry.windows import DAY, HOUR
from tests.adapters.stores.samples import partials
from tests.adapters.stores.states.given import DAY1, DAY2, LONG, of, put, put_hours
from tests.influx.given import SECOND
from tests.servers import InfluxDB

_INFLUX = ["influx_url", "influx2_url"] if os.environ.get(SECOND) else ["influx_url"]


@pytest.fixture(params=_INFLUX)
def influx(request: pytest.FixtureRequest) -> str:
    """The URL of an empty database of each version that has checkpoints."""
    url: str = request.getfixturevalue(request.param)
    return url


def test_at_no_request_that_fails_is_a_checkpoint_lost(influx: str, monkeypatch: pytest.MonkeyPatch) -> None:
    write_all, left = Connection.write_all, [0]

    def ending(self: Connection, lines: str | bytes, policy: str = "") -> None:
        left[0] -= 1
        if left[0] < 0:
            raise Unavailable("a kill")
        write_all(self, lines, policy)

    store = open_store(influx)
    put_hours(store, 0)
    put(of(store), {"a": LONG, "b": b"same"}, b"old")
    monkeypatch.setattr(Connection, "write_all", ending)
    seen = list[bytes | None]()
    for requests in range(4):
        left[0] = requests
        resumed = of(open_store(influx))
        assert resumed.head("aba")
        with contextlib.suppress(Unavailable):
            put(resumed, {"a": LONG[::-1], "b": None}, b"new")
        states = of(open_store(influx))
        seen.append(states.head("aba"))
        assert states.parts("aba") == {"a": LONG if seen[-1] == b"old" else LONG[::-1], "b": b"same"}
    assert seen == [b"old", b"old", b"old", b"new"]


def test_a_write_that_fails_behind_its_note_has_its_day_folded_again(
    influx: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(influx)
    put_hours(store, 0, 1)
    write = Connection.write

    def ending(self: Connection, lines: str | bytes, policy: str = "") -> None:
        write(self, lines, policy)
        raise Unavailable("a kill")

    with monkeypatch.context() as failing:
        failing.setattr(Connection, "write", ending)
        with pytest.raises(Unavailable):
            put_hours(store, 1)
    put_hours(store, 0)
    number = of(store).number("aba")
    put(of(store), {}, b"head")
    states = of(open_store(influx))
    assert (states.head("aba"), states.days_after("aba", number)) == (b"head", [DAY2])


def test_the_note_is_written_before_hours_of_several_requests(influx: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.influx.store._BATCH", 2)
    write, first = Connection.write, list[bytes]()

    def seen(self: Connection, lines: bytes, policy: str = "") -> None:
        first.append(lines)
        write(self, lines, policy)

    store = open_store(influx)
    monkeypatch.setattr(Connection, "write", seen)
    put_hours(store, 0, 1, 2)
    assert first[0].count(b"hours_written,") == 3
    assert b"hours_written" not in b"".join(first[1:])
    first.clear()
    put_hours(store, 0, 1)
    assert [lines.count(b"hours_written,") for lines in first] == [2]


def test_the_number_is_read_once(influx: str, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_store(influx)
    put_hours(store, 0)
    monkeypatch.setattr(Connection, "query", None)
    put_hours(store, 1)
    assert of(store).number("aba")


def test_a_database_that_lost_hours_and_has_others_passes_the_checkpoint_over(
    influx_url: str, influxdb: InfluxDB, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, database = open_store(influx_url), influx_url.rpartition("/")[2]
    put_hours(store, 0, 1)
    number = of(store).number("aba")
    influxdb.query(f'DROP DATABASE "{database}"')
    for _ in range(2):
        with contextlib.suppress(Unavailable):  # it is recreated by the next request
            put_hours(store, 1)
    put(of(store), {"a": b"1"}, b"head of two days")  # the process still has both
    states = of(open_store(influx_url))
    assert states.head("aba") is None
    put_hours(open_store(influx_url), 0)  # the lost day comes back, of which hours may be missing
    states = of(open_store(influx_url))
    states.head("aba")
    assert states.days_after("aba", number) == [DAY1, DAY2]


@pytest.mark.parametrize("order", [1, -1])
def test_a_database_put_back_from_an_older_copy_has_its_days_folded_again(
    order: int, influx_url: str, influxdb: InfluxDB
) -> None:
    database = influx_url.rpartition("/")[2]
    store = open_store(influx_url)
    put_hours(store, 0, 1)
    copied = influxdb.query('SELECT * FROM "hours_written"', database)
    put_hours(store, 1)
    put_hours(store, 0)
    number = of(store).number("aba")
    put(of(store), {}, b"head")
    rows = [f"hours_written,city=aba number={row['number']}i {row['time']}" for row in copied]
    influxdb.write(database, "\n".join(rows[::order]))
    put_hours(open_store(influx_url), 2)  # a larger number than the checkpoint's
    states = of(open_store(influx_url))
    assert states.head("aba") == b"head"
    assert states.days_after("aba", number) == [DAY1, DAY2, DAY2 + DAY]


def test_a_database_that_begins_a_second_time_gives_other_numbers(influx_url: str, influxdb: InfluxDB) -> None:
    numbers = set[int]()
    for _ in range(4):
        influxdb.query(f'DROP DATABASE "{influx_url.rpartition("/")[2]}"')
        put_hours(store := open_store(influx_url), 0)
        numbers.add(of(store).number("aba"))
    assert len(numbers) == 4


@pytest.mark.parametrize("part", ["head", "a"])
def test_a_damaged_piece_shows(part: str, influx_url: str, influxdb: InfluxDB) -> None:
    put(of(open_store(influx_url)), {"a": b"1", "b": b"2"}, b"head")
    influxdb.write(influx_url.rpartition("/")[2], f'checkpoint_part,city=aba,part={part},slot=a data="%%" 0')
    states = of(open_store(influx_url))
    assert states.head("aba") == (None if part == "head" else b"head")
    assert states.parts("aba") == ({} if part == "head" else {"a": b"", "b": b"2"})
    put(states, {"a": b"3"}, b"after")
    states = of(open_store(influx_url))
    assert (states.head("aba"), states.parts("aba")) == (b"after", {"a": b"3"})


def test_a_database_with_a_retention_takes_none(influx_url: str, influxdb: InfluxDB) -> None:
    influxdb.query(f'CREATE DATABASE "{influx_url.rpartition("/")[2]}" WITH DURATION 30d')
    store = open_store(influx_url)
    assert not of(store).put("aba", [("a", LONG)], lambda: b"head")
    assert of(store).head("aba") is None
    assert store.set_aside() == []


def test_a_bucket_with_a_retention_takes_none(limited2_url: str) -> None:
    store = open_store(limited2_url)
    assert not of(store).put("aba", [("a", LONG)], lambda: b"head")
    assert of(store).head("aba") is None
    assert store.set_aside() == []


def test_of_version_3_there_is_none(influx3_url: str) -> None:
    assert open_store(influx3_url).states is None


def test_hours_at_the_end_of_what_influxdb_can_date_have_a_number(influx: str) -> None:
    table, store = SeriesTable(), open_store(influx)
    last = 9_223_372_036_854 // HOUR * HOUR
    store.put_partials("hour", partials(table, ("a", 0, 1.0), start=[last]), table)
    assert store.set_aside() == []
    assert of(open_store(influx)).days_after("aba", 0) == [last // DAY * DAY]


def test_what_is_stored_does_not_grow_with_checkpoints(influx_url: str, influxdb: InfluxDB) -> None:
    store, database = open_store(influx_url), influx_url.rpartition("/")[2]
    counts = []
    for _ in range(6):
        put(of(store), {"a": LONG, "b": b"1"}, LONG)
        counts.append(influxdb.query('SELECT count("data") FROM "checkpoint_part"', database)[0]["count"])
    assert counts[1:] == [counts[1]] * 5
    assert isinstance(store.states, InfluxStates)
