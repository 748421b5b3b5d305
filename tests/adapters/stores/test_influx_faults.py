"""Failures between us and InfluxDB: Unavailable where a retry helps, else the server's sentence."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adapters.influx import kpi_rows
from adapters.influx.answers import kpi_values
from adapters.influx.http import Connection, SeriesOf, UnreadableAnswer
from adapters.influx.messages import seconds
from adapters.influx.store import InfluxStore
from adapters.influx.url import parse
from adapters.store import CityRecord, Store
from adapters.stores import open_store
from telemetry.errors import CityVitalsError, Unavailable
from telemetry.kpi_row import row_of
from telemetry.kpi_value import KpiQuery
from telemetry.partials import Partials
from telemetry.series import Series, SeriesTable
from telemetry.windows import MINUTE
from tests.adapters.stores.answers import canned
from tests.adapters.stores.samples import T0, kpi, partials, read, rows, values
from tests.servers import InfluxDB, free_port

FORMS = ["influxdb://127.0.0.1:{}/city", "influxdb2://127.0.0.1:{}/city?org=o"]
NOW = b'{"results":[{"series":[{"tags":{"code":"A","part":"-","period":"year"},"values":['


def put(store: Store) -> None:
    table = SeriesTable()
    store.put_partials("window", partials(table, ("a", 0, 1.0)), table)


CALLS: dict[str, Callable[[Store], Any]] = {
    "put_city": lambda store: store.put_city(CityRecord("aba", {}, MINUTE)),
    "cities": lambda store: store.cities(),
    "city": lambda store: store.city("town"),
    "put_partials": put,
    "partials": lambda store: list(store.partials("aba", "window", T0, T0 + MINUTE, SeriesTable())),
    "span": lambda store: store.span("aba", "window"),
    "put_kpis": lambda store: store.put_kpis([kpi()]),
    "kpis": lambda store: store.kpis(KpiQuery("aba")),
    "kpis_changed": lambda store: store.kpis_changed("aba", 0),
    "ping": lambda store: store.ping(),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=list(CALLS))
@pytest.mark.parametrize("form", FORMS)
def test_a_store_that_is_not_there_is_unavailable(form: str, call: Callable[[Store], Any]) -> None:
    with pytest.raises(Unavailable, match="does not answer"):
        call(open_store(form.format(free_port())))


def test_a_store_that_went_away_is_unavailable_until_it_is_back(server: Any) -> None:
    influx = server(InfluxDB)
    store = open_store(f"influxdb://{influx.host}:{influx.port}/city")
    store.put_kpis([kpi(1.0)])
    influx.stop()
    for call in CALLS.values():
        with pytest.raises(Unavailable):
            call(store)
    influx.start()
    store.put_kpis([kpi(2.0)])
    assert values(store.kpis(KpiQuery("aba"))) == [2.0]


@pytest.mark.parametrize("form", FORMS)
def test_a_server_that_says_nothing_is_unavailable(form: str) -> None:
    with canned(hold=True) as server:
        store = InfluxStore(Connection(parse(form.format(server.port)), timeout=0.2))
        for call in (CALLS["put_kpis"], CALLS["kpis"]):
            with pytest.raises(Unavailable, match=r"HTTPConnectionPool\(host='127.0.0.1', port=\d+\): Read timed out"):
                call(store)


@pytest.mark.parametrize("status", [500, 503, 429])
@pytest.mark.parametrize("form", FORMS)
def test_a_server_in_trouble_is_unavailable(form: str, status: int) -> None:
    with canned(status, b'{"error":"engine is closed"}') as server:
        for call in (CALLS["put_kpis"], CALLS["kpis"]):
            with pytest.raises(Unavailable, match="engine is closed"):
                call(open_store(form.format(server.port)))


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(("asked", "seconds"), [("7", 7.0), ("0", 0.0), ("Fri, 27 Nov 2026 12:00:00 GMT", 0.0)])
@pytest.mark.parametrize("form", FORMS)
def test_the_time_that_a_busy_server_asks_to_wait_is_known(form: str, status: int, asked: str, seconds: float) -> None:
    with canned(status, b'{"error":"too many"}', headers={"Retry-After": asked}) as server:
        for call in (CALLS["put_kpis"], CALLS["kpis"]):
            with pytest.raises(Unavailable) as caught:
                call(open_store(form.format(server.port)))
            assert caught.value.retry_after_s == seconds


def test_a_date_to_wait_until_is_counted_by_the_clock_of_the_server() -> None:
    def asked(until: str, now: str = "Fri, 27 Nov 2026 12:00:00 GMT") -> float:
        return seconds({"Retry-After": until, "Date": now})

    assert asked("Fri, 27 Nov 2026 12:00:30 GMT") == 30.0
    assert asked("Fri, 27 Nov 2026 11:00:00 GMT") == 0.0
    assert [asked(text) for text in ("", "soon", "-5", "9" * 20)] == [0.0] * 4
    assert asked("Fri, 27 Nov 2026 12:00:30 GMT", "") == 0.0


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (400, "partial write: points beyond retention policy dropped=1"),
        (422, "points beyond retention policy"),
        (413, "too large"),
    ],
)
@pytest.mark.parametrize("form", FORMS)
def test_what_can_never_be_stored_is_set_aside_with_the_servers_words(form: str, status: int, words: str) -> None:
    with canned(status, b'{"error":"%s"}' % words.encode()) as server:
        store = open_store(form.format(server.port))
        store._connection._made = True  # type: ignore[attr-defined]
        store._connection.write("a v=1 1\nb v=1 1\nc v=1 1")  # type: ignore[attr-defined]
        assert [line[0] for line, _ in store.set_aside()] == ["a", "b", "c"]
        store._connection.write("a v=1 1")  # type: ignore[attr-defined]
        [(_, reason)] = store.set_aside()
        assert words in reason


@pytest.mark.parametrize("form", FORMS)
def test_refused_credentials_name_the_setting(form: str) -> None:
    refused = pytest.raises(CityVitalsError, match=r"unauthorized access\. Set CITYVITALS__STORE__")
    with canned(401, b'{"message":"unauthorized access"}') as server, refused:
        open_store(form.format(server.port)).put_kpis([kpi()])


def test_an_answer_that_breaks_off_is_unavailable() -> None:
    with canned(200, NOW, cut=True) as server, pytest.raises(Unavailable):
        open_store(FORMS[1].format(server.port)).kpis(KpiQuery("aba"))


def test_an_error_inside_an_answer_is_unavailable() -> None:
    body = b'{"results":[]}\n{"results":[{"error":"query timeout reached"}]}\n'
    with canned(200, body) as server, pytest.raises(Unavailable, match="query timeout reached"):
        open_store(FORMS[1].format(server.port)).kpis(KpiQuery("aba"))


@pytest.mark.parametrize("body", [b"<html>Welcome</html>", NOW + b"[1,2,3]]}]}]}"])
def test_an_answer_of_another_kind_is_reported(body: bytes) -> None:
    with canned(200, body) as server, pytest.raises(UnreadableAnswer, match="cannot read"):
        open_store(FORMS[1].format(server.port)).kpis(KpiQuery("aba"))


def test_of_a_real_partial_write_the_rest_is_stored(influxdb: InfluxDB, influx_url: str) -> None:
    database = influx_url.rpartition("/")[2]
    influxdb.create(database)
    influxdb.write(database, f'kpi,city=other n_devices="a text where we write a number" {T0}')
    store = open_store(influx_url)
    store.put_kpis([kpi(1.0), kpi(2.0, city="bab")])
    assert all("conflict" in reason for _, reason in store.set_aside())


def test_a_database_with_a_retention_takes_what_is_within_it(influxdb: InfluxDB, influx_url: str) -> None:
    """City files lie at time 0, years begin long ago: neither may end the program or keep the rest out."""
    influxdb.query(f'CREATE DATABASE "{influx_url.rpartition("/")[2]}" WITH DURATION 30d')
    now = time.time_ns() // 1_000_000 // MINUTE * MINUTE
    store, record = open_store(influx_url), CityRecord("aba", {"city": {"id": "aba"}}, MINUTE)
    store.put_city(record)
    assert open_store(influx_url).cities() == [record]
    table = SeriesTable()
    both = Partials.concat([partials(table, ("a", 0, 1.0)), partials(table, ("a", 0, 2.0), ("a", 1, 3.0))])
    moved = {name: getattr(both, name) for name in both.__slots__}
    moved["start"] = np.array([now - 400 * 86_400_000, now - MINUTE, now])
    store.put_partials("window", Partials(**moved), table)
    [(line, reason)] = store.set_aside()
    assert "retention" in reason
    assert line.endswith(str(now - 400 * 86_400_000))
    found = list(store.partials("aba", "window", 0, now + MINUTE, SeriesTable()))
    assert Partials.concat(found).start.tolist() == [now - MINUTE, now]


@pytest.mark.parametrize("devices", [2, 7_000, 20_000])
def test_city_files_of_any_size_are_kept_and_replaced(influx_url: str, devices: int) -> None:
    """InfluxDB 1.12 and 2.7 refuse a string over 1 MiB, which a city of 7,000 devices exceeds."""
    store, lines = open_store(influx_url), list[str]()
    write = store._connection.write_all  # type: ignore[attr-defined]

    def record(text: str) -> None:
        lines.append(text)
        write(text)

    store._connection.write_all = record  # type: ignore[attr-defined]
    for version in range(3):
        config = {"city": {"id": "aba"}, "device": [
            {"id": f"device-{i}", "site": f"Straße {i} {version}", "quantities": ["energy_total", "power"]}
            for i in range(devices - version)
        ]}  # fmt: skip
        store.put_city(CityRecord("aba", config, MINUTE))
        assert open_store(influx_url).cities() == [CityRecord("aba", config, MINUTE)]
    assert max(len(line) for text in lines for line in text.split("\n")) < 64 << 10


def test_a_database_that_is_dropped_under_the_program_is_created_a_second_time_with_its_city(
    influxdb: InfluxDB, influx_url: str
) -> None:
    store, record = open_store(influx_url), CityRecord("aba", {"city": {"id": "aba"}}, MINUTE)
    store.put_city(record)
    influxdb.query(f'DROP DATABASE "{influx_url.rpartition("/")[2]}"')
    with pytest.raises(Unavailable, match="does not exist any more"):
        store.put_kpis([kpi(1.0)])
    store.put_kpis([kpi(1.0)])
    assert (values(store.kpis(KpiQuery("aba"))), store.cities()) == ([1.0], [record])


def test_a_failure_in_the_midst_of_many_rows_is_reported(influxdb: InfluxDB, influx_url: str) -> None:
    store, table = open_store(influx_url), SeriesTable()
    many = Partials.concat([partials(table, ("a", minute, 1.0)) for minute in range(3)])
    big = many.take(np.zeros(12_000, dtype=np.int64))
    moved = {name: getattr(big, name) for name in big.__slots__} | {"start": T0 + np.arange(12_000) * MINUTE}
    written = 0

    def fail_later(lines: bytes) -> None:
        nonlocal written
        written += 1
        if written == 2:
            raise Unavailable("The disk is full.")
        write(lines)

    write = store._connection.write  # type: ignore[attr-defined]
    store._connection.write = fail_later  # type: ignore[attr-defined]
    with pytest.raises(Unavailable, match="disk is full"):
        store.put_partials("window", Partials(**moved), table)
    store.put_partials("window", Partials(**moved), table)
    assert len(read(store, table)) == 12_000


def test_each_row_of_a_put_leaves_once_in_at_most_three_requests_at_a_time(influx_url: str) -> None:
    store, table, sent, free = open_store(influx_url), SeriesTable(), list[bytes](), threading.Semaphore(3)
    many = partials(table, *(("a", minute, 1.0) for minute in range(22_000)))

    def write(lines: bytes) -> None:
        assert free.acquire(blocking=False)
        threading.Event().wait(0.02)  # the next lines are made meanwhile
        sent.extend(lines.split(b"\n"))
        free.release()

    store._connection.write = write  # type: ignore[attr-defined]
    store.put_partials("window", many, table)
    assert sorted(int(line.rpartition(b" ")[2]) for line in sent) == many.start.tolist()


def test_a_put_that_fails_has_no_request_in_flight(influx_url: str) -> None:
    """The caller puts the rows a second time, perhaps newer ones, and an older request must not arrive after them."""
    store, table, begun, ended = open_store(influx_url), SeriesTable(), list[bool](), list[bool]()
    many, second = partials(table, *(("a", minute, 1.0) for minute in range(22_000))), threading.Event()
    first = str(many.start[0]).encode()

    def write(lines: bytes) -> None:
        if lines.split(b"\n", 1)[0].endswith(first):
            second.wait()
            raise Unavailable("The disk is full.")
        begun.append(True)
        second.set()
        threading.Event().wait(0.1)
        ended.append(True)

    store._connection.write = write  # type: ignore[attr-defined]
    with pytest.raises(Unavailable, match="disk is full"):
        store.put_partials("window", many, table)
    assert len(begun) == len(ended) > 0


def test_names_that_line_protocol_cannot_carry_are_refused(influx_url: str) -> None:
    table = SeriesTable()
    for device in ("back\\slash", "new\nline"):
        with pytest.raises(CityVitalsError, match="backslashes and control characters"):
            open_store(influx_url).put_partials("window", partials(table, (device, 0, 1.0)), table)


def test_names_with_commas_spaces_and_equals_signs_come_back(influx_url: str) -> None:
    store, table = open_store(influx_url), SeriesTable()
    store.put_partials("window", partials(table, ("a, b=c d", 0, 1.0), ('it\'s µ "x"', 0, 2.0)), table)
    found = SeriesTable()
    assert sorted(rows(read(store, found), found)) == [("a, b=c d", 0, 1.0), ('it\'s µ "x"', 0, 2.0)]
    wanted = np.array([table.id_of(Series("aba", 'it\'s µ "x"', "no2"))])
    assert read(store, table, series=wanted).sum.tolist() == [2.0]


def test_a_folder_is_no_sqlite_store(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="cannot be opened"):
        open_store(f"sqlite:///{tmp_path}")


def test_a_point_that_is_half_written_is_not_there_yet(influxdb: InfluxDB, influx_url: str) -> None:
    store, table = open_store(influx_url), SeriesTable()
    store.put_partials("window", partials(table, ("a", 0, 1.0)), table)
    influxdb.write(influx_url.rpartition("/")[2], f"window,city=aba,device=a,quantity=no2,site=- n=1i {T0 + MINUTE}")
    assert read(store, table).start.tolist() == [T0]
    store.put_partials("window", partials(table, ("a", 0, 1.0), ("a", 1, 2.0)), table)
    assert T0 + MINUTE in read(store, table).start.tolist()


def test_a_value_that_is_not_written_whole_yet_is_left_out() -> None:
    """InfluxDB 1 returns a new point field by field; without its start a value could not be sorted."""
    names = (*kpi_rows.INTS, *kpi_rows.FLOATS, *kpi_rows.TEXTS)
    floats, ints, texts = kpi_rows.fields_of(row_of(kpi()))
    stored: dict[str, Any] = {**floats, **ints, **{name: f'"{value}"' for name, value in texts.items()}}
    tags = {"code": "EN:EN:AQ:1C", "part": "no2", "period": "year"}
    row = (T0, *(stored.get(name) for name in names))
    assert [v.kpi.value for v in kpi_values("aba", SeriesOf([row], tags))] == [12.5]
    for name in ("label", "start_t", "end_t", "status", "n_devices", "changed"):
        place = 1 + names.index(name)
        part = (*row[:place], None, *row[place + 1 :])
        assert [v.kpi.value for v in kpi_values("aba", SeriesOf([part, row], tags))] == [12.5]
    for name in ("value", "has_numerator", "reason"):  # of values from before the field was there
        place = 1 + names.index(name)
        assert len(kpi_values("aba", SeriesOf([(*row[:place], None, *row[place + 1 :])], tags))) == 1
