"""What the engine keeps of live data is bounded, and what it let go is read from the store."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
import pytest

from kpi_derivation.engine.narrow import Narrow
from kpi_derivation.engine.recent import Recent
from telemetry.partials import Partials, fold
from telemetry.readings import Readings
from telemetry.series import IntArray, Series, SeriesTable
from telemetry.windows import HOUR, MINUTE

T0 = 1_709_294_400_000


class Stored:
    """A store that has everything."""

    def __init__(self) -> None:
        self.all = Partials.empty()
        self.asked: list[tuple[int, int]] = []

    def partials(
        self, city: str, level: Any, start: int, end: int, table: SeriesTable, series: IntArray | None = None
    ) -> Iterator[Partials]:
        self.asked.append((start, end))
        yield self.all.take((self.all.start >= start) & (self.all.start < end))


def test_what_is_kept_is_bounded_and_what_was_let_go_is_read_again() -> None:
    table, store = SeriesTable([Series("aba", f"s{n}", "no2") for n in range(5)]), Stored()
    recent = Recent(store, "aba", "window", table, keep=2 * HOUR)
    most = 0
    for minute in range(10 * 60):
        start = T0 + minute * MINUTE
        fresh = fold(Readings.of(range(5), [start] * 5, [1.0] * 5), MINUTE, table.modulus(np.arange(5)))
        store.all = Partials.concat([store.all, fresh])
        recent.add(fresh)
        recent.trim()
        most = max(most, recent.bytes())
    row = sum(getattr(fresh, name).nbytes for name in Partials.__slots__) / len(fresh)
    assert most <= (120 + 15 + 2) * 5 * row  # two hours, and an eighth more before it is let go
    assert sum(len(p) for p in recent.read(T0, start + MINUTE)) == 5 * 600


@pytest.mark.parametrize("begun", [False, True])
@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(("level", "merged"), [("window", 1 << 14), ("hour", 1 << 14), ("hour", 8)])
def test_reads_are_those_of_the_store_whatever_the_order_of_arrival(
    seed: int, level: Literal["window", "hour"], merged: int, begun: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kpi_derivation.engine.recent._MERGED", merged)
    draw, table = np.random.default_rng(seed), SeriesTable([Series("aba", f"s{n}", "no2") for n in range(40)])
    store, now = Stored(), T0
    recent = Recent(store, "aba", level, table, keep=2 * HOUR)
    if begun:
        recent.begin()
    for turn in range(60):
        now += int(draw.integers(0, 20)) * MINUTE
        spread = 3 * 24 * HOUR if draw.random() < 0.1 else HOUR  # a batch of the past, or late ones
        size = int(draw.integers(1, 60))
        t = now - draw.integers(0, spread, size)
        readings = Readings.of(draw.integers(0, 40, size), t, np.full(size, float(turn)))
        fresh = fold(readings, MINUTE, table.modulus(readings.series))
        store.all = Partials.concat([store.all, fresh]).latest()
        recent.add(fresh)
        if turn % 3 == 0:
            recent.trim()
        if turn == 30:
            recent.start(int(store.all.start.max()))
        start = now - int(draw.integers(0, 3 * HOUR))
        some = np.unique(draw.integers(0, 40, 5)) if draw.random() < 0.5 else None
        found = Partials.concat(list(recent.read(start, now - MINUTE, some))).latest()
        expected = Partials.concat(list(store.partials("aba", "window", start, now - MINUTE, table, some)))
        expected = expected.where(np.isin(expected.series, np.arange(40) if some is None else some))
        found = found.where(np.isin(found.series, np.arange(40) if some is None else some))
        assert all(np.array_equal(getattr(found, n), getattr(expected, n), True) for n in Partials.__slots__)


def test_only_what_is_older_than_what_is_in_memory_is_read_from_the_store() -> None:
    table, store = SeriesTable([Series("aba", "s", "no2")]), Stored()
    recent = Recent(store, "aba", "window", table, keep=2 * HOUR)
    for hour in range(5):
        recent.add(fold(Readings.of([0], [T0 + hour * HOUR], [1.0]), MINUTE, table.modulus(np.zeros(1, dtype=int))))
    recent.trim()
    list(recent.read(T0, T0 + 5 * HOUR))
    assert store.asked == [(T0, T0 + 2 * HOUR)]
    list(recent.read(T0 + 2 * HOUR, T0 + 5 * HOUR))
    list(recent.read(T0, T0 + HOUR))
    assert store.asked[1:] == [(T0, T0 + HOUR)]


def test_a_file_in_the_order_of_devices_is_not_read_back() -> None:
    table, store = SeriesTable([Series("aba", f"s{n}", "no2") for n in range(3)]), Stored()
    recent = Recent(store, "aba", "window", table, keep=2 * HOUR)
    recent.begin()

    def added(series: int, first: int, last: int) -> int:
        t = T0 + HOUR * np.arange(first, last)
        fresh = fold(Readings.of([series] * len(t), t, np.ones(len(t))), MINUTE, table.modulus(np.zeros(len(t), int)))
        store.all = Partials.concat([store.all, fresh]).latest()
        recent.add(fresh)
        found = Partials.concat(list(recent.read(T0, T0 + 100 * HOUR, np.array([series])))).latest()
        recent.trim()
        return int((found.series == series).sum())

    assert [added(series, 0, 100) for series in range(2)] == [100, 100]
    assert added(2, 0, 50) == 50
    assert store.asked == []
    assert added(2, 49, 100) == 100  # one hour of it is stored already
    assert store.asked == [(T0, T0 + 49 * HOUR + 1)]


def test_of_a_recorded_year_only_runs_of_the_time_that_is_read_are_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    table, unpacked = SeriesTable([Series("aba", "s", "no2")]), list[int]()
    recent, take = Recent(Stored(), "aba", "hour", table, keep=2 * HOUR), Narrow.take

    def noted(run: Narrow, rows: IntArray) -> Partials:
        unpacked.append(len(rows))
        return take(run, rows)

    monkeypatch.setattr(Narrow, "take", noted)
    monkeypatch.setattr("kpi_derivation.engine.recent._MERGED", 1)
    for month in range(12):
        t = T0 + HOUR * (600 * month + np.arange(600))
        recent.add(fold(Readings.of([0] * 600, t, np.ones(600)), HOUR, table.modulus(np.zeros(600, dtype=int))))
    assert sum(len(p) for p in recent.read(T0, T0 + 600 * HOUR)) == 600
    assert unpacked == [600]
