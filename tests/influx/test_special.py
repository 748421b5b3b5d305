"""What is left out of rows of partials comes back bit for bit, whatever was written there before."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.influx.answers import PARTIALS, PartialRows
from adapters.influx.lines import partial_lines
from adapters.influx.special import FLOATS, INTS
from adapters.store import Level
from telemetry.partials import Partials, fold, is_whole
from telemetry.readings import Readings
from telemetry.series import Series, SeriesTable
from telemetry.windows import HOUR, MINUTE
from tests.adapters.stores.samples import COLUMNS, T0, of_readings, partials

REPO = Path(__file__).parents[2]
ORDER = ("special", *INTS, *FLOATS)
LEVELS: tuple[tuple[Level, int], ...] = (("window", MINUTE), ("hour", HOUR))
NAMES = [Series("aba", "a", "no2"), Series("aba", "a", "energy_total")]
BEFORE = (  # lines that earlier versions wrote: n, then the fields
    ("special=4096i,n=1i,first_t={t}i,last_t={t}i,flagged=0i,lag=250i,sum=1.5,min=1.5,max=1.5,sumsq=2.25,first=1.5,last=1.5,mean=1.5"),
    ("special=21780i,n=0i,first_t=0i,last_t=0i,flagged=3i,lag=0i,sum=0.0,sumsq=0.0"),
    ("special=0i,n=2i,first_t={t}i,last_t={u}i,flagged=0i,lag=1i,sum=3.0,min=1.0,max=2.0,sumsq=5.0,first=2.0,last=1.0,increase=1.0,mean=1.5"),
    ("special=128i,n=3i,first_t={t}i,last_t={u}i,flagged=0i,lag=1i,sum=1e200,min=-0.0,max=1e200,first=-0.0,last=0.0,increase=0.0,mean=3e199"),
)  # fmt: skip


class Server:
    """The rows of one level as InfluxDB keeps them: a write replaces the fields that it names."""

    def __init__(self, level: Level) -> None:
        self.level = level
        self.rows: dict[tuple[str, int], dict[str, str]] = {}

    def put(self, written: Partials) -> None:
        """Write as the store does."""
        heads = {number: f"{self.level},quantity={name.quantity}" for number, name in enumerate(NAMES)}
        for line in partial_lines(self.level, heads, written).decode().split("\n"):
            head, fields, time = line.split(" ")
            self.write(head.partition("=")[2], fields, int(time))

    def write(self, quantity: str, fields: str, time: int) -> None:
        """One line."""
        merged = self.rows.setdefault((quantity, time), {})
        merged |= dict(field.split("=") for field in fields.split(","))

    def read(self) -> Partials:
        """The rows by way of JSON, as the store reads them."""
        table = SeriesTable(NAMES)
        rows = PartialRows("aba", table)
        for (quantity, time), fields in sorted(self.rows.items()):
            values = ",".join(fields.get(name, "null").removesuffix("i") for name in ORDER)
            series = f'{{"tags":{{"device":"a","quantity":"{quantity}"}},"values":[[{time},{values}]]}}'
            answer = PARTIALS.decode(f'{{"results":[{{"series":[{series}]}}]}}')
            rows.add(answer.results[0].series[0])
        return rows.partials()


def exact(found: Partials) -> dict[str, list[str]]:
    """Every number, of floats all bits; NaNs are alike."""
    return {
        name: [str(value) if is_whole(name) else float(value).hex() for value in getattr(found, name).tolist()]
        for name in COLUMNS
    }


@pytest.mark.parametrize("level", ["window", "hour"])
@given(writes=st.lists(of_readings(NAMES), min_size=1, max_size=4))
def test_every_number_comes_back_bit_for_bit_over_whatever_was_written(level: Level, writes: list[Partials]) -> None:
    server = Server(level)
    for number, written in enumerate(writes, start=1):
        server.put(written)
        assert exact(server.read()) == exact(Partials.concat(writes[:number]).latest())


def folded(*values: float, width: int = MINUTE) -> Partials:
    """The row of these readings, 10 s apart."""
    t = T0 + 5000 + 10_000 * np.arange(len(values), dtype=np.int64)
    ids = np.zeros(len(values), dtype=np.int64)
    readings = Readings.of(ids, t, np.array(values), arrival=t + 250)
    return fold(readings, width, SeriesTable(NAMES).modulus(ids))


@pytest.mark.parametrize(("level", "width"), LEVELS)
def test_a_row_that_loses_or_gains_readings_has_nothing_of_before(level: Level, width: int) -> None:
    server = Server(level)
    for values in ([3.5], [3.5, 2.5], [2.5], [1.0, 2.0, 7.0], [2.0, 7.0], [7.0, 7.0], [-0.0], [math.inf], [0.0]):
        written = folded(*values, width=width)
        server.put(written)
        assert exact(server.read()) == exact(written)


def names(level: Level, *values: float) -> set[str]:
    """The fields that are written of the row of these readings."""
    server = Server(level)
    server.put(folded(*values, width=dict(LEVELS)[level]))
    [fields] = server.rows.values()
    return set(fields)


def test_of_one_or_two_readings_few_fields_are_written() -> None:
    always = {"special", "n", "flagged", "lag", "sum", "min", "max", "last", "mean"}
    assert names("window", 3.5) == names("window", 3.5, 1.5) == names("window", 1.5, 3.5) == always
    assert names("window", 3.5, 1.5, 2.5) - always == {"sumsq"}
    assert names("window", 2.5, 1.5, 3.5, 1.75) - always == {"sumsq", "first"}


@pytest.mark.parametrize("level", ["window", "hour"])
def test_the_fields_that_dashboards_and_alerts_read_are_always_written(level: Level) -> None:
    read, files = set[str](), [*REPO.glob("grafana/dashboards/*.json"), *REPO.glob("grafana/provisioning/alerting/*")]
    for path in files:
        for query in re.findall(r"SELECT .*", path.read_text(encoding="utf-8").replace('\\"', '"')):
            if f'FROM "{level}"' in query:
                read |= {name for name in re.findall(r'"(\w+)"', query) if name in {*COLUMNS, "mean"}}
    assert {"n", "sum", "last", "flagged"} <= read
    for values in ([3.5], [3.5, 1.5]):
        assert read - names(level, *values) <= {"increase"}  # where there is none, none was ever written


@pytest.mark.parametrize("fields", BEFORE)
def test_rows_of_earlier_versions_are_read_and_replaced(fields: str) -> None:
    said = dict(field.split("=") for field in fields.format(t=T0 + 1, u=T0 + 9).split(","))
    server = Server("window")
    server.write("no2", fields.format(t=T0 + 1, u=T0 + 9), T0)
    found = exact(server.read())
    for name in (*INTS, *FLOATS):
        if name in said:
            value = said[name].removesuffix("i") if name in INTS else float(said[name]).hex()
            assert found[name] == [value]
    lacking = {name: found[name] for name in FLOATS if name not in said}
    assert all(value == (["inf"] if name == "sumsq" else ["nan"]) for name, value in lacking.items())
    server.put(folded(7.0, 8.0))
    assert exact(server.read()) == exact(folded(7.0, 8.0))


@pytest.mark.parametrize("level", ["window", "hour"])
def test_a_row_that_is_not_written_whole_yet_is_not_read(level: Level) -> None:
    server = Server(level)
    server.put(folded(2.5, 1.5, 3.5, 1.75))
    [fields] = server.rows.values()
    for name in fields.keys() - {"special", "n", "flagged", "lag", "mean"}:
        kept = fields.pop(name)
        assert len(server.read()) == 0
        fields[name] = kept
    assert len(server.read()) == 1


def test_a_window_of_readings_far_apart_has_its_times_as_fields() -> None:
    table = SeriesTable(NAMES)
    times = [(T0 - 1, T0), (T0, T0 + 5 * HOUR), (T0 + 5 * HOUR, T0 + 5 * HOUR), (T0 + 9, T0 + 3)]
    for first, last in times:
        written = partials(table, ("a", 0, 1.0), first_t=[first], last_t=[last])
        server = Server("window")
        server.put(written)
        assert exact(server.read()) == exact(written)
