"""`store`: an empty store of each implementation in turn.

InfluxDB is the `influxd` on the PATH, or with CITYVITALS_TEST_INFLUXDB=host:port a 1.x server that runs already:
CITYVITALS_TEST_INFLUXDB=127.0.0.1:8086 python -m pytest tests/adapters/stores/test_cities.py
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from adapters.store import Store
from adapters.stores import open_store
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


@pytest.fixture(params=["sqlite", "influxdb"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty store."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/store.db"
    found: str = request.getfixturevalue("influx_url")
    return found


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """An empty store."""
    opened = open_store(url)
    yield opened
    opened.close()
