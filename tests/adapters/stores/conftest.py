"""`store`: an empty store of each implementation in turn.

InfluxDB is the `influxd` on the PATH, or with CITYVITALS_TEST_INFLUXDB=host:port a 1.x server that runs already:
CITYVITALS_TEST_INFLUXDB=127.0.0.1:8086 python -m pytest tests/adapters/stores

InfluxDB 2 is used too where CITYVITALS_TEST_INFLUXDB2 is its URL, with CITYVITALS_TEST_INFLUXDB2_ORG and _TOKEN, of a
user who may make buckets and map them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from influxdb_client import InfluxDBClient

from adapters.store import Store
from adapters.stores import open_store
from tests.postgres import PostgreSQL
from tests.servers import InfluxDB

_number = count()
_SECOND = "CITYVITALS_TEST_INFLUXDB2"


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
    base, org, token = (os.environ.get(_SECOND + end, "") for end in ("", "_ORG", "_TOKEN"))
    monkeypatch.setenv("CITYVITALS__STORE__TOKEN", token)
    name = f"stores-{os.getpid()}-{next(_number)}"
    with InfluxDBClient(base, token=token, org=org) as client:
        bucket = client.buckets_api().create_bucket(bucket_name=name, org=org)
        mapping = {"bucketID": bucket.id, "database": name, "retention_policy": "autogen", "default": True, "org": org}
        client.api_client.call_api(
            "/api/v2/dbrps", "POST", body=mapping, header_params={"Content-Type": "application/json"}
        )
        yield f"influxdb2{'s' * base.startswith('https')}://{base.rpartition('/')[2]}/{name}?org={org}"
        client.buckets_api().delete_bucket(bucket)


@pytest.fixture
def postgres_url(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An empty database of PostgreSQL."""
    server: PostgreSQL = request.getfixturevalue("postgresql")
    monkeypatch.setenv("CITYVITALS__STORE__USERNAME", server.user)
    name = server.create(f"stores-{os.getpid()}-{next(_number)}")
    yield f"postgresql://{server.host}:{server.port}/{name}"
    server.drop(name)


_KINDS = {"sqlite": "", "influxdb": "influx_url", "postgresql": "postgres_url"}
if os.environ.get(_SECOND):
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
