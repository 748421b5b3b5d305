"""Partials in narrow columns are the same bit for bit."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

from kpi_derivation.engine.narrow import Narrow, packed
from telemetry.partials import Partials, fold
from telemetry.readings import Readings
from telemetry.series import FloatArray, Series, SeriesTable
from telemetry.windows import HOUR, MINUTE

T0 = 1_709_294_400_000
TABLE = SeriesTable([Series("aba", f"s{n}", ("no2", "energy_total")[n % 2]) for n in range(300)])


def _windows(seed: int, readings: int) -> Partials:
    """Windows of gauges and registers, some of whose readings are all flagged."""
    draw = np.random.default_rng(seed)
    series, t = draw.integers(0, len(TABLE), readings), T0 + draw.integers(0, 2 * HOUR, readings)
    value = draw.choice([0.0, -0.0, 1.5, 1e12, 0.1], readings) + draw.normal(size=readings) * draw.integers(0, 2)
    flag = draw.integers(0, 2, readings) * (series % 5 == 0)
    made = Readings.of(series, t, value, arrival=t + draw.integers(-9, 99_999, readings), flag=flag)
    return fold(made, MINUTE, TABLE.modulus(series))


def _same(a: Partials, b: Partials) -> bool:
    return all(getattr(a, f.name).tobytes() == getattr(b, f.name).tobytes() for f in fields(Partials))


@pytest.mark.parametrize("seed", range(20))
def test_every_row_comes_back_bit_for_bit(seed: int) -> None:
    windows = _windows(seed, (1, 7, 500, 20_000)[seed % 4])
    narrow = Narrow(windows)
    assert _same(narrow.all(), windows)
    rows = np.flatnonzero(np.random.default_rng(seed).integers(0, 2, len(windows)))
    assert _same(narrow.take(rows), windows.take(rows))


@pytest.mark.parametrize("size", [1, 2, 100, 299, 300, 5000, 100_000])
def test_rows_are_found_by_time_and_series(size: int) -> None:
    windows, end = _windows(1, 5000), T0 + HOUR
    wanted = np.arange(size) % 3 == 0
    wanted[-1] = False
    chosen = np.isin(windows.series, np.flatnonzero(wanted)) & (windows.start < end)
    assert np.array_equal(Narrow(windows).rows(T0, end, wanted), np.flatnonzero(chosen))
    assert np.array_equal(Narrow(windows).rows(-(1 << 60), end, None), np.flatnonzero(windows.start < end))


@pytest.mark.parametrize("series", [70_000, 300, 0])
@pytest.mark.parametrize("readings", [600, 20_000])  # each row with its series, or each series once
def test_series_that_a_run_does_not_have_are_not_found(series: int, readings: int) -> None:
    windows = _windows(1, readings)
    windows = windows.take((windows.series >= 7) & (windows.series < 250))
    wanted = np.zeros(series + 2, dtype=np.bool_)
    wanted[series] = True
    assert len(Narrow(windows).rows(T0, T0 + HOUR, wanted)) == 0


@pytest.mark.parametrize("few", [[], [0], [3], [2, 7, 299], [5, 298, 70_000], list(range(50))])
def test_rows_of_few_series_are_those_of_the_mask(few: list[int]) -> None:
    windows, end = _windows(1, 5000), T0 + HOUR
    chosen = np.isin(windows.series, few) & (windows.start < end)
    found = Narrow(windows).rows_of_few(T0, end, np.array(few, dtype=np.int64))
    assert np.array_equal(found, np.flatnonzero(chosen))


def test_columns_of_extreme_values_come_back() -> None:
    windows = _windows(2, 100)
    odd = Partials(**{f.name: getattr(windows, f.name) for f in fields(Partials)} | {
        "n": windows.n * (1 << 40), "lag": windows.lag - (1 << 50), "last_t": windows.last_t - (1 << 40),
    })  # fmt: skip
    assert _same(Narrow(odd).all(), odd)


def _meters(values: FloatArray) -> Partials:
    """Windows of 6 readings, an hour of 150 registers."""
    series, t = np.repeat(np.arange(1, 300, 2), 360), np.tile(T0 + 10_000 * np.arange(360), 150)
    return fold(Readings.of(series, t, values, arrival=t + t % 977), MINUTE, TABLE.modulus(series))


@pytest.mark.parametrize("decimals", [0, 2, 3])
def test_a_window_of_a_meter_takes_a_sixth_of_its_columns(decimals: int) -> None:
    windows = _meters(np.round(1000 + np.arange(54_000) * 1.3, decimals))
    wide = sum(getattr(windows, f.name).nbytes for f in fields(Partials))
    assert Narrow(windows).bytes * 6 < wide
    assert _same(Narrow(windows).all(), windows)


def test_a_window_of_measured_noise_takes_less_than_half_of_its_columns() -> None:
    windows = _meters(np.cumsum(np.random.default_rng(1).random(54_000)))
    wide = sum(getattr(windows, f.name).nbytes for f in fields(Partials))
    assert Narrow(windows).bytes * 2 < wide
    assert _same(Narrow(windows).all(), windows)


@pytest.mark.parametrize("seed", range(10))
def test_odd_values_among_decimals_come_back_bit_for_bit(seed: int) -> None:
    draw = np.random.default_rng(seed)
    windows = _meters(np.round(draw.random(54_000) * 10.0 ** draw.integers(0, 9), int(draw.integers(0, 6))))
    odd = [np.nan, np.inf, -np.inf, -0.0, 1e300, 5e-324, -1e-9, float(1 << 62)]
    columns = {}
    for name in ("sum", "min", "max", "sumsq", "first", "last", "increase"):
        column = getattr(windows, name).copy()
        column[draw.choice(len(column), 30)] = draw.choice(odd, 30)
        column.view(np.int64)[draw.integers(0, len(column))] = -1  # another NaN
        columns[name] = column
    windows = replace(windows, **columns)
    assert _same(Narrow(windows).all(), windows)
    rows = np.flatnonzero(draw.integers(0, 2, len(windows)))
    assert _same(Narrow(windows).take(rows), windows.take(rows))


@pytest.mark.parametrize("rows", [0, 1, 499, 500, 4000])
def test_few_partials_are_found_like_many(rows: int) -> None:
    windows = _windows(3, 5000).take(np.arange(rows))
    run, wanted = packed(windows), np.arange(250) % 3 == 0
    wanted[-1] = False
    narrow = Narrow(windows)
    assert isinstance(run, Narrow) == (rows >= 500)
    assert _same(run.all(), windows)
    assert np.array_equal(run.rows(T0, T0 + HOUR, wanted), narrow.rows(T0, T0 + HOUR, wanted))
    few = np.array([2, 7, 70_000])
    assert np.array_equal(run.rows_of_few(T0, T0 + HOUR, few), narrow.rows_of_few(T0, T0 + HOUR, few))
    some = np.arange(0, rows, 3)
    assert _same(run.take(some), narrow.take(some))
