"""What goes wrong between us and InfluxDB is told: Unavailable where trying again helps, else the server's sentence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adapters.influx.http import Connection, UnreadableAnswer
from adapters.influx.store import InfluxStore
from adapters.influx.url import parse
from adapters.store import CityRecord, Store, open_store
from telemetry.errors import CityVitalsError, Unavailable
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
    with canned(hold=True) as told:
        store = InfluxStore(Connection(parse(form.format(told.port)), timeout=0.2))
        for call in (CALLS["put_kpis"], CALLS["kpis"]):
            with pytest.raises(Unavailable):
                call(store)


@pytest.mark.parametrize("status", [500, 503, 429])
@pytest.mark.parametrize("form", FORMS)
def test_a_server_in_trouble_is_unavailable(form: str, status: int) -> None:
    with canned(status, b'{"error":"engine is closed"}') as told:
        for call in (CALLS["put_kpis"], CALLS["kpis"]):
            with pytest.raises(Unavailable, match="engine is closed"):
                call(open_store(form.format(told.port)))


@pytest.mark.parametrize("form", FORMS)
def test_a_refused_write_is_told_in_the_servers_words(form: str) -> None:
    with canned(400, b'{"error":"partial write: points beyond retention policy dropped=3"}') as told:
        store = open_store(form.format(told.port))
        store._connection._made = True  # type: ignore[attr-defined]
        with pytest.raises(CityVitalsError, match="beyond retention policy dropped=3") as caught:
            store.put_kpis([kpi()])
        assert not isinstance(caught.value, Unavailable)


@pytest.mark.parametrize("form", FORMS)
def test_refused_credentials_name_the_setting(form: str) -> None:
    refused = pytest.raises(CityVitalsError, match=r"unauthorized access\. Set CITYVITALS__STORE__")
    with canned(401, b'{"message":"unauthorized access"}') as told, refused:
        open_store(form.format(told.port)).put_kpis([kpi()])


def test_an_answer_that_breaks_off_is_unavailable() -> None:
    with canned(200, NOW, cut=True) as told, pytest.raises(Unavailable):
        open_store(FORMS[1].format(told.port)).kpis(KpiQuery("aba"))


def test_an_error_inside_an_answer_is_unavailable() -> None:
    body = b'{"results":[]}\n{"results":[{"error":"query timeout reached"}]}\n'
    with canned(200, body) as told, pytest.raises(Unavailable, match="query timeout reached"):
        open_store(FORMS[1].format(told.port)).kpis(KpiQuery("aba"))


@pytest.mark.parametrize("body", [b"<html>Welcome</html>", NOW + b"[1,2,3]]}]}]}"])
def test_an_answer_of_another_kind_is_told(body: bytes) -> None:
    with canned(200, body) as told, pytest.raises(UnreadableAnswer, match="cannot read"):
        open_store(FORMS[1].format(told.port)).kpis(KpiQuery("aba"))


def test_a_real_partial_write_is_an_error(influxdb: InfluxDB, influx_url: str) -> None:
    database = influx_url.rpartition("/")[2]
    influxdb.create(database)
    influxdb.write(database, f'kpi,city=other n_devices="a text where we write a number" {T0}')
    with pytest.raises(CityVitalsError, match="conflict"):
        open_store(influx_url).put_kpis([kpi()])


def test_a_failure_in_the_midst_of_many_rows_is_told(influxdb: InfluxDB, influx_url: str) -> None:
    store, table = open_store(influx_url), SeriesTable()
    many = Partials.concat([partials(table, ("a", minute, 1.0)) for minute in range(3)])
    big = many.take(np.zeros(12_000, dtype=np.int64))
    moved = {name: getattr(big, name) for name in big.__slots__} | {"start": T0 + np.arange(12_000) * MINUTE}
    written = 0

    def fail_later(lines: str) -> None:
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
