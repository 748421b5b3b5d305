"""The same numbers when the same file goes through a real broker, a gateway and an ingest process into either store."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.chain import chain
from tests.influx.given import SECOND, buckets
from tests.replay import cli, recorded
from tests.servers import InfluxDB, Mosquitto

# city -> recorded file, which rows of it, periods to compare
CUTS: dict[str, tuple[str, Callable[[list[str]], bool], tuple[str, ...]]] = {
    "trondheim": (recorded.TRONDHEIM, lambda r: r[0] < "2019-08", ("2018", "2019", "2019-Q1", "2019-03", "2019-03-31")),
    "aberdeen": (recorded.STATIONS, lambda r: r[0] < "2018-02-10", ("2018", "2018-Q1", "2018-01", "2018-01-17")),
}
Values = list[dict[str, Any]]


# Both cities, both stores; with CITYVITALS_LONG=1 each city with each store; InfluxDB 2 where one is given.
PAIRS = [("trondheim", "influxdb"), ("aberdeen", "sqlite")]
MORE = [("trondheim", "sqlite"), ("aberdeen", "influxdb")] if os.environ.get("CITYVITALS_LONG") else []
MORE += [(city, "influxdb2") for city in CUTS if os.environ.get(SECOND)]


@pytest.fixture
def influxdb2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with buckets(f"{tmp_path.name}-{os.getpid()}", monkeypatch) as url:
        yield url


def store(kind: str, folder: Path, request: pytest.FixtureRequest) -> str:
    if kind == "sqlite":
        return f"sqlite:///{folder}/through.db"
    if kind == "influxdb2":
        found: str = request.getfixturevalue(kind)
        return found
    influx: InfluxDB = request.getfixturevalue("influxdb")
    return f"influxdb://{influx.host}:{influx.port}/{influx.create(folder.name)}"


def values(city: str, store: str) -> Values:
    _, _, periods = CUTS[city]
    return [v for period in periods for v in msgspec.json.decode(cli.show(city, store, period))]


def is_same(one: object, other: object) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)
    return one == other


def differences(these: Values, those: Values) -> list[str]:
    """Fields that differ; numbers by more than 1e-9."""
    assert len(these) == len(those)
    return [
        f"{a['code']} {a['part']} {a['period']} {field}: {a[field]} and {b[field]}"
        for a, b in zip(these, those, strict=True)
        for field in a
        if field != "revision" and not is_same(a[field], b[field])
    ]


@pytest.mark.parametrize(("name", "kind"), PAIRS + MORE)
def test_through_a_broker_come_the_numbers_of_a_direct_replay(
    name: str, kind: str, mosquitto: Mosquitto, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    into = store(kind, tmp_path, request)
    city, (header, *rows) = recorded.city(name), recorded.rows(*CUTS[name][:2])
    file, direct = recorded.write(tmp_path / "cut.csv", header, rows), f"sqlite:///{tmp_path}/direct.db"
    cli.replay(city, direct, file, how=cli.here)
    with chain(tmp_path / "chain", city, mosquitto.port, into) as running:
        cli.run("replay", file, "--city", city, "--through", mosquitto.url, "--store", into)
        found = values(name, into)
        assert {n: p.poll() for n, p in running.processes.items()} == {"gateway": None, "ingest": None}
        assert running.stop() == {"gateway": 0, "ingest": 0}
    expected = values(name, direct)
    assert sum(v["value"] is not None for v in expected) > 5
    assert differences(found, expected) == []
