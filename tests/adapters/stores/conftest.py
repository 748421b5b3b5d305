"""`store`: an empty store of each implementation in turn.

InfluxDB is the `influxd` on the PATH, or with CITYVITALS_TEST_INFLUXDB=host:port a 1.x server that runs already:
CITYVITALS_TEST_INFLUXDB=127.0.0.1:8086 python -m pytest tests/adapters/stores

InfluxDB 3 is a stand-in before that server, see tests/influx/stand_in.py. InfluxDB 2 is used too where
CITYVITALS_TEST_INFLUXDB2 names one, see tests/influx/given.py.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from adapters.store import Store
from adapters.stores import open_store
from tests.influx.given import SECOND, buckets
from tests.influx.stand_in import stand_in
from tests.postgres import PostgreSQL
from tests.servers import InfluxDB

_number = count()


@pytest.fixture
def influx_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database nobody has used; it does not exist yet."""
    name = f"stores-{os.getpid()}-{next(_number)}"
    if given := os.environ.get("CITYVITALS_TEST_INFLUXDB"):
        server = InfluxDB(tmp_path / "given", port=int(given.rpartition(":")[2]))
        server.host = given.rpartition(":")[0]
    else:
        server = request.getfixturevalue("influxdb")
    yield f"influxdb://{server.host}:{server.port}/{name}"
    server.query(f'DROP DATABASE "{name}"')


@pytest.fixture
def influx2_url(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An empty bucket of a given InfluxDB 2, mapped to a database of its name."""
    with buckets(f"stores-{os.getpid()}-{next(_number)}", monkeypatch) as url:
        yield url


@pytest.fixture
def limited2_url(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The same with a retention of 30 days, and the bucket beside it that has none."""
    if not os.environ.get(SECOND):
        pytest.skip(f"{SECOND} names no InfluxDB 2")
    with buckets(f"stores-{os.getpid()}-{next(_number)}", monkeypatch, days=30) as url:
        yield url


@pytest.fixture
def influx3_url(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A database of the stand-in for InfluxDB 3; it does not exist yet."""
    name = f"stores-{os.getpid()}-{next(_number)}"
    with stand_in(request.getfixturevalue("influxdb"), prefix=f"{name}-") as server:
        monkeypatch.setenv("CITYVITALS__STORE__TOKEN", server.token)
        yield f"influxdb3://127.0.0.1:{server.port}/{name}"


@pytest.fixture
def postgres_url(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An empty database of PostgreSQL."""
    server: PostgreSQL = request.getfixturevalue("postgresql")
    monkeypatch.setenv("CITYVITALS__STORE__USERNAME", server.user)
    name = server.create(f"stores-{os.getpid()}-{next(_number)}")
    yield f"postgresql://{server.host}:{server.port}/{name}"
    server.drop(name)


_KINDS = {"sqlite": "", "influxdb": "influx_url", "influxdb3": "influx3_url", "postgresql": "postgres_url"}
if os.environ.get(SECOND):
    _KINDS["influxdb2"] = "influx2_url"


@pytest.fixture(params=list(_KINDS))
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty store."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/store.db"
    found: str = request.getfixturevalue(_KINDS[request.param])
    return found


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """An empty store."""
    opened = open_store(url)
    yield opened
    opened.close()
