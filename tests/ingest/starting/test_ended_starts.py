"""A start that makes hours of stored windows, read in pieces, loses none: ended anywhere, or beside other writers."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adapters.sqlite.store import SqliteStore
from ingest.core import CityIngest, serve
from registry.city import City
from telemetry.partials import Partials
from telemetry.series import Series, SeriesTable
from telemetry.windows import HOUR, MINUTE

T0 = 1_700_000_400_000 // HOUR * HOUR
METERS = 20  # the first half are registers that are read each quarter of an hour, the others send what each hour took


class Killed(BaseException):
    """The process has ended."""


def city(zone: str) -> City:
    quantity = ["energy_total"] * (METERS // 2) + ["energy_delta"] * (METERS // 2)
    devices = [{"id": f"d{n:03}", "kind": "electricity_meter", "quantities": [q]} for n, q in enumerate(quantity)]
    return City.model_validate({"city": {"id": "c", "name": "C", "timezone": zone, "country": "AT"}, "device": devices})


def stored(path: Path, of: City) -> Path:
    """A file with three hours of windows and no hour."""
    store, table = SqliteStore(path), SeriesTable()
    for device in of.device:
        [quantity] = device.quantities
        register = quantity == "energy_total"
        start = T0 + np.arange(0, 180, 15 if register else 60) * MINUTE
        one, value = (
            np.ones(len(start), dtype=np.int64),
            np.linspace(100, 103, len(start)) if register else start * 0 + 1.0,
        )
        series = one * table.id_of(Series("c", device.id, quantity))
        increase = value * (0.0 if register else np.nan)
        columns: Any = series, start, one, value, value, value, value * value, start, value, start, value, increase
        store.put_partials("window", Partials(*columns, *[one * 0] * 2), table)
    store.close()
    return path


def start(path: Path, of: City) -> None:
    store = SqliteStore(path)
    try:
        serve(store, SeriesTable(), of, MINUTE).checkpoint()
    finally:
        store.close()


def hours(path: Path) -> dict[Any, Any]:
    store, table = SqliteStore(path), SeriesTable()
    found = Partials.concat(list(store.partials("c", "hour", 0, 1 << 53, table)))
    store.close()
    names = [table[series] for series in found.series.tolist()]
    columns = (found.start, found.n, found.sum, found.increase)
    return {(name, at): repr(row) for name, at, *row in zip(names, *(c.tolist() for c in columns), strict=True)}


@pytest.mark.parametrize("zone", ["Europe/Vienna", "Asia/Kolkata"])
def test_a_start_that_is_ended_anywhere_loses_no_hour(
    zone: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.sqlite.store._CHUNK", 25)
    of = city(zone)
    start(whole := stored(tmp_path / "whole.db", of), of)
    put, wanted = SqliteStore.put_partials, hours(whole)
    assert len(wanted) > 3 * METERS / 2
    ended, stop = True, 0
    while ended:
        path, left = stored(tmp_path / f"{stop}.db", of), [stop]

        def ends(self: SqliteStore, level: Any, *rest: Any, left: list[int] = left) -> None:
            if level == "hour" and not left[0]:
                raise Killed
            left[0] -= level == "hour"
            put(self, level, *rest)

        monkeypatch.setattr(SqliteStore, "put_partials", ends)
        try:
            start(path, of)
            ended = False
        except Killed:
            monkeypatch.setattr(SqliteStore, "put_partials", put)
            start(path, of)
            assert hours(path) == wanted, f"ended after {stop} writes of hours"
        stop += 1
    assert stop > 1


def test_another_process_may_write_to_the_file_while_a_start_makes_hours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.sqlite.store._CHUNK", 25)
    of = city("Europe/Vienna")
    path = stored(tmp_path / "store.db", of)
    other, store_hours = sqlite3.connect(path, isolation_level=None), CityIngest._store_hours

    def beside(self: CityIngest, due: Any) -> None:
        other.execute("INSERT OR REPLACE INTO figure_log VALUES ('c', 'x', 1, 'y')")
        store_hours(self, due)

    monkeypatch.setattr(CityIngest, "_store_hours", beside)
    start(path, of)
    other.close()
    assert len(hours(path)) > 3 * METERS / 2
