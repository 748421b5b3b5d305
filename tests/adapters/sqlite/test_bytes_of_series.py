"""What a store has in memory of the series that it has stored, and of the city file."""

from __future__ import annotations

import ctypes
import gc
import json
import sqlite3
import tracemalloc
from ctypes.util import find_library
from pathlib import Path

import numpy as np
import pytest

from adapters.sqlite.store import SqliteStore
from adapters.store import CityRecord
from kpi_derivation.engine.recent import Recent
from telemetry.partials import Partials, fold
from telemetry.readings import Readings
from telemetry.series import Series, SeriesTable
from telemetry.windows import HOUR, MINUTE

T0, _SERIES = 1_709_294_400_000, 5000


def _put(store: SqliteStore, table: SeriesTable, numbers: np.ndarray[tuple[int], np.dtype[np.int64]]) -> None:
    readings = Readings.of(numbers, np.full(len(numbers), T0), np.ones(len(numbers)))
    store.put_partials("window", fold(readings, MINUTE, table.modulus(readings.series)), table)


def _table(*names: int) -> SeriesTable:
    return SeriesTable(Series("aba", f"m{n}", "energy_total") for n in names)


def test_a_store_has_no_table_of_its_series_in_memory(tmp_path: Path) -> None:
    _put(SqliteStore(tmp_path / "store.db"), _table(*range(_SERIES)), np.arange(_SERIES))
    SqliteStore(tmp_path / "other.db")  # what is made once
    gc.collect()
    tracemalloc.start()
    try:
        table = _table(*range(_SERIES))
        before = tracemalloc.get_traced_memory()[0]
        store = SqliteStore(tmp_path / "store.db")
        _put(store, table, np.arange(_SERIES))
        gc.collect()
        assert (tracemalloc.get_traced_memory()[0] - before) / _SERIES < 60  # 250 with names
    finally:
        tracemalloc.stop()


def test_series_are_the_same_for_tables_that_number_them_otherwise(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "store.db")
    for table in (_table(0, 1, 2), _table(2, 3, 0)):
        _put(store, table, np.arange(3))
    db = sqlite3.connect(tmp_path / "store.db")
    assert db.execute("SELECT device FROM series ORDER BY id").fetchall() == [("m0",), ("m1",), ("m2",), ("m3",)]
    assert db.execute('SELECT count(*) FROM "window"').fetchone() == (4,)


def test_a_series_of_a_write_that_failed_has_no_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, table = SqliteStore(tmp_path / "store.db"), _table(0, 1)
    with monkeypatch.context() as patch:
        patch.setattr(
            "adapters.sqlite.kept.note_span", lambda *_: (_ for _ in ()).throw(sqlite3.OperationalError("full"))
        )
        with pytest.raises(Exception, match="full"):
            _put(store, table, np.array([0]))
    _put(store, table, np.array([1]))
    _put(store, table, np.array([0]))
    found = SeriesTable()
    parts = list(store.partials("aba", "window", T0, T0 + MINUTE, found))
    assert sorted(found[n].device for part in parts for n in part.series.tolist()) == ["m0", "m1"]


def test_a_city_file_is_not_kept_by_the_statement_that_wrote_it(tmp_path: Path) -> None:
    try:
        used = ctypes.CDLL(find_library("sqlite3")).sqlite3_memory_used
    except (AttributeError, OSError, TypeError):
        pytest.skip("this Python has an SQLite of its own, which cannot be asked")
    used.restype = ctypes.c_int64
    store, config = SqliteStore(tmp_path / "store.db"), {"city": {"id": "aba"}, "text": "a" * 20_000_000}
    before = used()
    if before < 10_000:
        pytest.skip("this Python has an SQLite of its own, which cannot be asked")
    store.put_city(CityRecord("aba", config, MINUTE))
    assert used() - before < 12e6  # 8 MB of pages; the text is 20
    stored = store.city("aba")
    assert stored is not None
    assert len(json.dumps(stored.config)) > 20e6


def test_an_hour_of_windows_is_read_in_pieces_where_their_order_does_not_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.sqlite.store._CHUNK", 1000)
    store, table = SqliteStore(tmp_path / "store.db"), _table(*range(300))
    for minute in range(20):
        readings = Readings.of(np.arange(300), np.full(300, T0 + minute * MINUTE), np.arange(300.0) + 0.5 * minute)
        store.put_partials("window", fold(readings, MINUTE, table.modulus(readings.series)), table)
    span = "aba", "window", T0, T0 + 20 * MINUTE
    pieces, found = list(store.pieces(*span, SeriesTable())), SeriesTable()  # type: ignore[arg-type]
    assert [len(piece) for piece in pieces] == [1000] * 6
    whole = list(store.partials(*span, found))  # type: ignore[arg-type]
    assert [len(chunk) for chunk in whole] == [6000]
    for name in ("series", "start", "sum", "last_t"):
        assert np.array_equal(getattr(Partials.concat(pieces).latest(), name), getattr(whole[0], name))

    recent = Recent(store, "aba", "window", found, keep=2 * HOUR)
    tracemalloc.start()
    try:
        recent.start(T0 + 19 * MINUTE)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < 3e6  # 6 MB as a whole
    read = Partials.concat(list(recent.read(T0, T0 + HOUR)))
    assert read.sum.tobytes() == whole[0].sum.tobytes()
