"""What the embedded store must not search, counted in the steps of SQLite's machine instead of time."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from adapters.sqlite.store import SqliteStore
from telemetry.kpi_value import KpiQuery, KpiValue, StoredKpi
from telemetry.periods import PeriodKind
from telemetry.series import Series, SeriesTable
from telemetry.windows import DAY, MINUTE
from tests.adapters.stores.samples import partials

DAYS = 20_000


def steps(store: SqliteStore, ask: Callable[[], object]) -> int:
    """Hundreds of steps that a question takes."""
    counted = 0

    def count() -> int:
        nonlocal counted
        counted += 1
        return 0

    store._db.set_progress_handler(count, 100)
    ask()
    store._db.set_progress_handler(None, 0)
    return counted


def test_the_span_of_a_city_without_readings_does_not_search_those_of_others(tmp_path: Path) -> None:
    store, table = SqliteStore(tmp_path / "s.db"), SeriesTable()
    assert steps(store, lambda: store.span("quiet", "window")) <= 1
    store.put_partials("window", partials(table, *((f"d{n % 10}", n, 1.0) for n in range(5000))), table)
    assert steps(store, lambda: store.span("quiet", "window")) <= 1
    assert store.span("quiet", "window") is None


def test_the_span_of_a_new_city_does_not_search_the_old_readings_of_others(tmp_path: Path) -> None:
    """Twenty times the readings of another city in the same hours: the same number of steps."""

    def of(count: int) -> int:
        store, table = SqliteStore(tmp_path / f"{count}.db"), SeriesTable()
        others = [(f"d{d}", 60 * hour, 1.0) for hour in range(200) for d in range(count)]
        store.put_partials("window", partials(table, *others), table)
        store.put_partials("window", partials(table, ("new", 60 * 199, 1.0), city="young"), table)
        assert store.span("young", "window") == (partials(table, ("new", 60 * 199, 1.0)).start[0],) * 2
        return steps(store, lambda: store.span("young", "window"))

    assert of(100) <= 1.5 * of(5) + 2


def test_the_span_of_a_city_is_a_look_up(tmp_path: Path) -> None:
    """However many series it has: it was asked for by every answer of the API, and searched the rows of a day."""
    store, table = SqliteStore(tmp_path / "s.db"), SeriesTable()
    hours = partials(table, *((f"d{d}", 60 * hour, 1.0) for hour in range(48) for d in range(300)))
    store.put_partials("hour", hours, table)
    assert store.span("aba", "hour") == (hours.start.min(), hours.start.max())
    assert steps(store, lambda: store.span("aba", "hour")) == 0
    store.close()


_WRITE = """
import sys
from pathlib import Path
from adapters.sqlite.store import SqliteStore
from telemetry.series import SeriesTable
from tests.adapters.stores.samples import partials
store, table = SqliteStore(Path(sys.argv[1])), SeriesTable()
store.put_partials("hour", partials(table, ("d", int(sys.argv[2]), 1.0)), table)
store.close()
"""


def test_the_span_is_that_of_what_another_process_wrote(tmp_path: Path) -> None:
    store, table = SqliteStore(tmp_path / "s.db"), SeriesTable()
    store.put_partials("hour", partials(table, ("d", 600, 1.0)), table)
    first = partials(table, ("d", 0, 1.0)).start[0]
    assert store.span("aba", "hour") == (first + 600 * MINUTE,) * 2
    for minute, span in ((1200, (600, 1200)), (60, (60, 1200)), (900, (60, 1200))):
        subprocess.run([sys.executable, "-c", _WRITE, str(tmp_path / "s.db"), str(minute)], check=True)
        assert store.span("aba", "hour") == tuple(first + minute * MINUTE for minute in span)
    store.close()


def test_the_span_of_a_city_that_none_noted_needs_a_seek_for_each_series(tmp_path: Path) -> None:
    """As in a file of an older program; hours of the same days, and ten times as many."""

    def of(hours: int) -> int:
        store, table = SqliteStore(tmp_path / f"{hours}.db"), SeriesTable()
        rows = partials(table, *((f"d{d}", 60 * hour, 1.0) for hour in range(0, 20, 20 // hours) for d in range(300)))
        store.put_partials("hour", rows, table)
        store._db.execute("DELETE FROM span")
        assert store.span("aba", "hour") == (rows.start.min(), rows.start.max())
        return steps(store, lambda: store.span("aba", "hour"))

    assert of(20) <= 1.5 * of(2) + 2


def test_one_series_of_a_city_is_read_without_the_others(tmp_path: Path) -> None:
    """Neither the hours nor the names of others are read: forty times the devices, about the same number of steps."""

    def of(devices: int) -> tuple[int, int]:
        path, table = tmp_path / f"{devices}.db", SeriesTable()
        writing = SqliteStore(path)
        hours = partials(table, *((f"d{d}", 60 * hour, 1.0) for hour in range(200) for d in range(devices)))
        writing.put_partials("hour", hours, table)
        writing.close()
        store, alone = SqliteStore(path), SeriesTable([Series("aba", "d3", "no2")])
        start, end, one = int(hours.start[0]), int(hours.start[-1]) + 1, np.array([0])
        chunks = partial(store.partials, "aba", "hour", start, end, alone, one)
        assert sum(len(chunk) for chunk in chunks()) == 200
        assert store.newest_readings("aba", start, end, SeriesTable(alone.all), one).value.tolist() == [1.0]
        newest = partial(store.newest_readings, "aba", start, end, SeriesTable(alone.all), one)
        return steps(store, lambda: list(chunks())), steps(store, newest)

    few, many = of(10), of(400)
    assert all(after <= 2 * before + 2 for before, after in zip(few, many, strict=True))


def value(kind: PeriodKind, start: int) -> StoredKpi:
    kpi = KpiValue(
        city="c", code="LOCAL:E:METERED", part="", period="x", kind=kind, start=start, end=start + DAY,
        value=1.0, unit="kWh", coverage=1.0, status="final", n_devices=1, method="",
    )  # fmt: skip
    return StoredKpi(kpi=kpi, changed=start, updated=start)


def test_values_of_a_kind_do_not_cost_a_read_of_all_values(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "store.db")
    store.put_kpis([value("day", n * DAY) for n in range(DAYS)] + [value("year", n * DAY) for n in (0, 365)])
    for query in (
        KpiQuery("c", ["year"]),
        KpiQuery("c", ["year", "month"], start=100 * DAY),
        KpiQuery("c", ["day"], start=(DAYS - 3) * DAY),
    ):
        assert 0 < len(store.kpis(query)) < 4
        assert steps(store, partial(store.kpis, query)) < DAYS / 100
    store.close()
