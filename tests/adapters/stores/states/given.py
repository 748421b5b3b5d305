"""Hours and checkpoints for the tests of `States`."""

from __future__ import annotations

import random

import pytest

from adapters.states import States
from adapters.store import Store
from telemetry.series import SeriesTable
from telemetry.windows import DAY
from tests.adapters.stores.samples import T0, partials

LONG = bytes(random.Random(1).randbytes(200_000))  # several pieces of InfluxDB
DAY1, DAY2 = T0 // DAY * DAY, T0 // DAY * DAY + DAY


def of(store: Store) -> States:
    if store.states is None:
        pytest.skip("this store keeps no checkpoint")
    return store.states


def put_hours(store: Store, *days: int, city: str = "aba", value: float = 1.0) -> None:
    table = SeriesTable()
    store.put_partials("hour", partials(table, *(("a", day * 24 * 60, value) for day in days), city=city), table)


def put(states: States, parts: dict[str, bytes | None], head: bytes, city: str = "aba") -> None:
    assert states.put(city, parts.items(), lambda: head)
