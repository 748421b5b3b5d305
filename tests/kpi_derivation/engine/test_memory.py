"""What the engine holds of a large city, and what it takes for a moment: bounds that are generous, in bytes."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from kpi_derivation.engine.days.grid import SUMMED, DayGrid
from kpi_derivation.engine.days.period_sums import PeriodSums
from kpi_derivation.engine.days.series_rows import SeriesRows
from kpi_derivation.engine.laid import Laid
from kpi_derivation.engine.recent import Recent
from kpi_derivation.engine.row_days import RowDays
from registry.city import City
from telemetry.growing import Growing
from telemetry.partials import Partials, fold
from telemetry.readings import Readings
from telemetry.series import FloatArray, Series, SeriesTable
from telemetry.windows import HOUR, MINUTE

DAYS = 365
COLUMNS = (*SUMMED, "interval")


def _most(run: Callable[[], object]) -> int:
    """The most bytes that were taken while it ran, besides those that were taken before."""
    tracemalloc.start()
    try:
        run()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def _grid(rows: int, days: int, seed: int = 0) -> DayGrid:
    draw = np.random.default_rng(seed)
    columns = {name: draw.normal(size=(rows, days)) * (draw.random((rows, days)) < 0.8) for name in COLUMNS}
    return DayGrid(dict.fromkeys(COLUMNS, 0.0), 1000, (rows, days), columns)


def test_a_year_of_many_series_is_added_up_in_parts() -> None:
    grid = _grid(20_000, 1)
    assert _most(lambda: grid.sums(1000 - DAYS + 1, 1000)) < 10e6  # all days at once are 58 MB


@pytest.mark.parametrize(("first", "last"), [(1000, 1000), (1003, 1011), (980, 1040), (700, 1064), (900, 950)])
def test_sums_are_those_of_all_days_of_the_span_in_numpys_order(first: int, last: int) -> None:
    grid = _grid(3000, 30)
    for rows in (np.arange(3000), np.arange(5, 3000, 7), np.arange(0)):
        found = grid.sums(first, last, rows)
        for place, name in enumerate(SUMMED):
            days = np.zeros((len(rows), last + 1 - first))
            at = np.arange(1000, 1030)
            inside = (at >= first) & (at <= last)
            days[:, at[inside] - first] = grid.columns[name][rows][:, inside]
            assert days.sum(axis=1).tobytes() == found[:, place].tobytes()


def _power(draw: np.random.Generator, meters: int, quarters: int) -> FloatArray:
    power = draw.random((meters, quarters)) * 10.0 ** draw.integers(-3, 6)
    power[draw.random((meters, quarters)) < draw.random()] = np.nan
    power[:, draw.integers(0, quarters) :] = np.nan
    return power


@pytest.mark.parametrize("meters", [1, 2, 7, 8, 9, 129, 3000])
@pytest.mark.parametrize("quarters", [92, 96, 100])
def test_the_power_of_all_meters_is_added_up_meter_by_meter(meters: int, quarters: int) -> None:
    draw, laid = np.random.default_rng(meters + quarters), Laid(meters, quarters)
    expected = np.full((meters, quarters), np.nan)
    for _ in range(5):
        places = np.sort(draw.choice(meters, int(draw.integers(1, meters + 1)), replace=False))
        expected[places] = _power(draw, len(places), quarters)
        laid.replace(places, expected[places])
        total = np.zeros(quarters)
        for one in np.where(np.isnan(expected), 0.0, expected):
            total += one
        assert laid.total().tobytes() == total.tobytes()
        assert laid.power().tobytes() == expected.tobytes()
        assert np.array_equal(laid.meters, (~np.isnan(expected)).sum(axis=0))


def test_meters_that_come_later_leave_the_others_as_they_are() -> None:
    laid, power = Laid(2, 96), _power(np.random.default_rng(3), 2, 96)
    laid.replace(np.arange(2), power)
    laid.make_room(np.array([0, 2]), 3)
    assert laid.power()[[0, 2]].tobytes() == power.tobytes()
    assert np.isnan(laid.power()[1]).all()
    assert laid.total().tobytes() == np.where(np.isnan(power), 0.0, power).sum(axis=0).tobytes()


def test_a_quarter_that_is_to_come_takes_no_memory() -> None:
    laid, power = Laid(10_000, 96), np.full((10_000, 96), np.nan)
    power[:, :2] = 1.5
    laid.replace(np.arange(10_000), power)
    assert laid.bytes() == 2 * 10_000 * 9


CITY = City.model_validate({
    "city": {"id": "aba", "name": "Aba", "country": "NO", "timezone": "UTC"},
    "device": [
        {"id": f"m{n}", "kind": "electricity_meter", "quantities": ["energy_delta", "energy_total"]} for n in range(300)
    ],
})  # fmt: skip


def _of_a_city() -> tuple[SeriesRows, DayGrid, PeriodSums]:
    table, grid = SeriesTable(), DayGrid(dict.fromkeys(COLUMNS, 0.0))
    rows = SeriesRows(CITY, table, {"energy_delta", "energy_total"})
    return rows, grid, PeriodSums(rows, grid)


def _measure(rows: SeriesRows, grid: DayGrid, draw: np.random.Generator) -> RowDays:
    """Other values of some series on some days; the (row, day) that changed."""
    devices, days = draw.choice(300, 40, replace=False).tolist(), draw.integers(1000, 1040, 40)
    names = [(f"m{n}", ("energy_delta", "energy_total")[int(draw.integers(0, 2))]) for n in devices]
    places = np.array([rows.of_name(*name) for name in names], dtype=np.int64)
    grid.ensure(len(rows), int(days.min()), int(days.max()))
    grid.put(places, days, {name: draw.normal(size=40) ** 2 for name in COLUMNS})
    return RowDays.of(places, days)


def test_kept_sums_are_those_of_the_grid_whatever_changes_and_comes() -> None:
    rows, grid, sums = _of_a_city()
    draw = np.random.default_rng(5)
    spans = [(1000, 1000), (1000, 1031), (700, 1064), (1032, 1039)]
    for _ in range(20):
        sums.renew(_measure(rows, grid, draw))
        for span in spans:
            for quantity in ("energy_delta", "energy_total"):
                devices = [f"m{n}" for n in range(300)]
                found = sums.of(*span).of(sums.of(*span).places(devices, quantity), quantity)
                expected, all_rows = grid.sums(*span), rows.of(tuple(devices), quantity)
                wanted = np.where((all_rows >= 0)[:, None], expected[all_rows], 0.0)
                wanted[(wanted[:, 0] <= 0) & (wanted[:, 6] <= 0)] = 0.0
                assert found.tobytes() == wanted.tobytes()


def test_periods_with_the_same_one_or_two_days_of_data_have_one_table() -> None:
    rows, grid, sums = _of_a_city()
    place, spans = rows.of_name("m1", "energy_total"), [(1000, 1000), (1000, 1031), (700, 1064)]
    assert place == 0
    for last, tables in ((1000, 1), (1001, 2), (1002, 3)):
        grid.ensure(1, 1000, last)
        day = last - 999.0
        grid.put(np.array([0]), np.array([last]), dict.fromkeys(COLUMNS, np.array([day])))
        sums.renew(RowDays.of(np.array([0]), np.array([last])))
        for first, until in spans:
            found = sums.of(first, until).of(np.array([0]), "energy_total")
            days = [d for d in range(1000, last + 1) if first <= d <= until]
            assert found[0, 0] == sum(d - 999.0 for d in days)
        assert len({id(sums.of(*span)._table.args[0]) for span in spans}) == tables  # type: ignore[attr-defined]


def test_sums_are_kept_of_the_quantities_that_are_read() -> None:
    rows, grid, sums = _of_a_city()
    sums.renew(_measure(rows, grid, np.random.default_rng(1)))
    assert sums.bytes() == 0
    sums.of(1000, 1031).of(np.arange(0), "energy_total")
    assert sums.bytes() == len(rows.with_quantity("energy_total")) * len(COLUMNS) * 8


def test_sums_of_a_period_that_is_not_read_any_more_are_not_kept() -> None:
    rows, grid, sums = _of_a_city()
    draw = np.random.default_rng(4)
    sums.renew(_measure(rows, grid, draw))
    grid.ensure(len(rows), 1000, 1020)
    of_all = np.arange(len(rows.with_quantity("energy_total")))
    for days in range(1000, 1010):
        sums.of(days, days).of(of_all, "energy_total")
    held = sums.bytes()
    before = sums.of(1003, 1003).of(of_all, "energy_total")
    for _ in range(600):
        sums.of(1009, 1009).of(of_all, "energy_total")
        sums.renew(RowDays.of(np.array([0]), np.array([1020])))
    assert sums.bytes() == held // 10
    assert sums.of(1003, 1003).of(of_all, "energy_total").tobytes() == before.tobytes()


def test_a_series_takes_few_bytes_besides_its_name() -> None:
    table = SeriesTable(Series("aba", f"m{n}", "energy_total") for n in range(300))
    held: list[SeriesRows] = []

    def fill() -> None:
        for _ in range(20):
            held.append(SeriesRows(CITY, table, {"energy_total"}))
            for series in range(300):
                held[-1].of_series(series)
            held[-1].of_known(np.arange(300))
            held[-1].of(("m1",), "energy_total")

    assert _most(fill) / 6000 < 140  # of which the names take a half; 250 with arrays of NumPy beside those of Python


def test_a_column_grows_at_its_end() -> None:
    column, expected = Growing(np.int32), list[int]()
    for number in range(100):
        column.append(number * 7)
        expected.append(number * 7)
        column.fill(number + 2, -1)
        expected += [-1] * (number + 2 - len(expected))
        assert column.all.tolist() == expected
    column.fill(3, 5)  # it is longer
    column[2] = 1 << 30
    assert (column[2], column[99], len(column)) == (1 << 30, expected[99], len(expected))


class _Nothing:
    """A store in which nothing is."""

    def partials(self, *_: object) -> Iterator[Partials]:
        """See History."""
        yield from ()


def test_minutes_of_many_series_are_merged_in_parts() -> None:
    series, n = np.arange(60_000), 60_000
    table = SeriesTable(Series("aba", f"m{n}", "energy_total") for n in range(60_000))
    recent = Recent(_Nothing(), "aba", "window", table, keep=2 * HOUR)
    recent.start(0)

    def fill() -> None:
        for minute in range(7):
            readings = Readings.of(series, np.full(n, minute * MINUTE), np.round(series * 0.01, 2))
            recent.add(fold(readings, MINUTE, np.full(n, np.inf)))

    most = _most(fill)
    assert most < 40e6  # as one block 73 MB
    found = Partials.concat(list(recent.read(0, HOUR)))
    assert len(found) == 7 * n
    assert np.array_equal(found.last, np.repeat(np.round(series * 0.01, 2), 7))
    some = np.array([5, 20_000, 59_999])
    assert np.array_equal(Partials.concat(list(recent.read(0, HOUR, some))).series, np.repeat(some, 7))


def test_rows_of_many_series_are_those_of_each() -> None:
    names = [Series("aba", f"m{n}", quantity) for n in range(310) for quantity in ("energy_total", "no2")]
    table, draw = SeriesTable(names), np.random.default_rng(2)
    rows = SeriesRows(CITY, table, {"energy_total"})
    for _ in range(5):
        series = np.sort(draw.integers(0, len(names), 90))
        found = rows.of_many(series).tolist()
        assert found == [-1 if (row := rows.of_series(number)) is None else row for number in series.tolist()]
        kept = [number for number in series.tolist() if number % 2 == 0 and number < 600]
        assert sum(row >= 0 for row in found) == len(kept)
