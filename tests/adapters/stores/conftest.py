"""`store`: an empty store of each implementation in turn."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from adapters.store import Store
from adapters.stores import open_store
from tests.servers import InfluxDB

_number = count()


@pytest.fixture
def influx_url(influxdb: InfluxDB) -> Iterator[str]:
    """A database nobody has used; it does not exist yet."""
    name = f"stores-{next(_number)}"
    yield f"influxdb://{influxdb.host}:{influxdb.port}/{name}"
    influxdb.query(f'DROP DATABASE "{name}"')


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
