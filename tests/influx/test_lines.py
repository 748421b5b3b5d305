"""Line protocol of partials: what each row says, whatever its neighbours are; and when its request is sent."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from adapters.influx.http import Connection
from adapters.influx.lines import Heads, partial_lines
from adapters.influx.pool import Senders, reporting
from adapters.influx.special import FLOATS, INTS, NOT_FINITE
from adapters.influx.store import InfluxStore
from adapters.influx.url import parse
from adapters.points import Point
from telemetry.errors import Unavailable
from telemetry.partials import Partials
from telemetry.series import Series, SeriesTable
from tests.adapters.stores.answers import canned
from tests.adapters.stores.samples import partials
from tests.processes import wait_for
from tests.servers import InfluxDB, free_port

FORMS = ["influxdb://127.0.0.1:{}/city", "influxdb2://127.0.0.1:{}/city?org=o"]
ODD = [0.0, -0.0, 1.0, 0.1, 5e-324, 1e-7, 1e16, 1e22, -sys.float_info.max, 61.599999999999994, *NOT_FINITE]


def read_back(line: str) -> tuple[str, dict[str, str], int]:
    """Head, fields and time of a line whose tags have no spaces."""
    head, fields, time = line.split(" ")
    return head, dict(field.split("=", 1) for field in fields.split(",")), int(time)


def made(count: int, **columns: Any) -> Partials:
    """Rows of three devices in turn; `columns` replaces whole columns."""
    return partials(SeriesTable(), *((f"d{i % 3}", i, 1.0) for i in range(count)), **columns)


@pytest.mark.parametrize("count", [1, 2, 40])
def test_each_line_has_the_numbers_of_its_row(count: int) -> None:
    rng, extremes = np.random.default_rng(count), np.array(ODD)
    floats = {name: extremes[rng.integers(0, len(extremes), count)] for name in FLOATS}
    ints = {name: rng.choice([0, 1, -1, 7, 2**63 - 1, -(2**63)], count) for name in INTS}
    rows = made(count, **floats, **ints)
    heads = {number: f"window,device=d{number}" for number in range(3)}
    found = {
        time: (head, fields)
        for head, fields, time in map(read_back, partial_lines("window", heads, rows).decode().split("\n"))
    }
    assert len(found) == count
    for i in range(count):
        head, fields = found[int(rows.start[i])]
        assert head == f"window,device=d{rows.series[i]}"
        del fields["special"]
        mean = float(fields.pop("mean", "nan"))  # is left out where the row has none that can be stored
        assert mean.hex() == float(rows.mean[i] if np.isfinite(rows.mean[i]) else np.nan).hex()
        for name, text in fields.items():
            value = int(text.removesuffix("i")) if name in INTS else float(text).hex()
            assert value == (ints[name][i] if name in INTS else float(floats[name][i]).hex())
        assert {"n", "flagged", "lag"} <= fields.keys()


def test_no_rows_are_no_lines() -> None:
    assert partial_lines("window", {}, Partials.empty()) == b""


def test_columns_that_are_equal_but_for_the_sign_of_a_zero_stay_different() -> None:
    rows = made(2, sum=[0.0, 1.0], min=[-0.0, 1.0], max=[-0.0, -0.0])
    first = read_back(partial_lines("window", {0: "window", 1: "window"}, rows).decode().split("\n")[0])[1]
    assert [first[name] for name in ("sum", "min", "max")] == ["0.0", "-0.0", "-0.0"]


@pytest.mark.parametrize("form", FORMS)
def test_that_a_request_was_sent_is_reported_before_its_answer(form: str) -> None:
    sent = threading.Event()
    with canned(hold=True, headers={"Connection": "close"}) as server:
        connection = Connection(parse(form.format(server.port)))
        connection._made = True

        def write() -> None:
            with reporting(sent):
                connection.write(b"a v=1 1")

        writing = threading.Thread(target=write)
        writing.start()
        wait_for(sent.is_set, what="the report")
        assert writing.is_alive()
        server.over.set()
        writing.join()
        connection.close()
    assert [body for _, body, _ in server.asked] == [b"a v=1 1"]


@pytest.mark.parametrize("form", FORMS)
def test_after_a_failure_no_further_lines_are_sent(form: str) -> None:
    made: list[bytes] = []

    def batches() -> Iterator[bytes]:
        for number in range(9):
            made.append(b"a v=1 %d" % number)
            yield made[-1]

    connection = Connection(parse(form.format(free_port())), timeout=1)
    senders = Senders()
    with pytest.raises(Unavailable):
        senders.write(connection.write, batches())
    assert len(made) == 4  # three in flight and the one made meanwhile
    senders.close()


def test_points_of_any_kind_are_one_request_where_they_have_no_policy_of_their_own(influxdb: InfluxDB) -> None:
    database = f"points-{os.getpid()}"
    store = InfluxStore.from_url(f"influxdb://{influxdb.host}:{influxdb.port}/{database}")
    bodies, write = list[str | bytes](), store._connection.write_all

    def record(lines: str | bytes, policy: str = "") -> None:
        bodies.append(lines)
        write(lines, policy)

    store._connection.write_all = record  # type: ignore[method-assign]
    store.points.put(
        [Point("device", {"city": "a"}, {"silent": 0}, 0), Point("state", {"city": "a"}, {"silent": 1}, 1)]
    )
    assert len(bodies) == 1
    assert [row["silent"] for row in influxdb.query('SELECT "silent" FROM "device", "state"', database)] == [0, 1]
    influxdb.query(f'DROP DATABASE "{database}"')


def test_heads_that_are_remembered_follow_the_site_and_have_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.influx.lines._MOST_HEADS", 3)
    heads = Heads("hour")
    of = "hour,city=c,device=d%d,quantity=no2,site=%s"
    for site in ("a", "b", "a"):
        for number in (*range(7), *range(7)):
            assert heads.of(Series("c", f"d{number}", "no2"), site) == of % (number, site)
    assert len(heads._made) <= 3
