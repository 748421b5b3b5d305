"""Many series at once have what each has alone, bit for bit."""

from __future__ import annotations

import copy
import math
import statistics

import numpy as np
import pytest

from kpi_derivation.engine.days import many
from kpi_derivation.engine.days.along import join_register
from kpi_derivation.engine.days.grid import DayGrid
from kpi_derivation.engine.days.many import join_plain, settle_intervals
from kpi_derivation.rules.metering.register_days import DayPoints
from telemetry.series import IntArray
from telemetry.windows import DAY, HOUR

MAIN, OWN, DAYS = 738_000, 737_998, 12  # origins of the two grids
ROWS = 60
NAN = math.nan
MAIN_COLUMNS = {"n": 0.0, "interval": NAN, "increase": 0.0, "covered": 0.0, "step": NAN}
OWN_COLUMNS = dict.fromkeys(DayPoints._fields, NAN) | {"meter_changes": 0.0, "tail": 0.0, "changed": 0.0}


def midnights(days: IntArray) -> IntArray:
    """Every eleventh day is an hour short."""
    return (days * DAY - HOUR * (days // 11)).astype(np.int64)


def grids(rng: np.random.Generator) -> tuple[DayGrid, DayGrid, IntArray, IntArray]:
    """Registers of all kinds: plain, with gaps, falls and jumps, slow, without readings."""
    main = DayGrid(MAIN_COLUMNS)
    own = DayGrid(OWN_COLUMNS)
    main.ensure(ROWS + 5, MAIN, MAIN + DAYS - 1)
    own.ensure(ROWS + 3, OWN, MAIN + DAYS + 4)
    rows, places = rng.permutation(ROWS + 5)[:ROWS], rng.permutation(ROWS + 3)[:ROWS]
    main.columns["increase"][rng.random((ROWS + 5, DAYS)) < 0.1] = 7.0
    own.columns["meter_changes"][rng.random(own.shape) < 0.02] = 1.0
    for row, place in zip(rows.tolist(), places.tolist(), strict=True):
        first, number = int(rng.integers(0, DAYS)), int(rng.integers(0, DAYS))
        value, slow = float(rng.integers(0, 2) * 1e4), rng.random() < 0.2
        for day in range(first, min(first + number, DAYS)):
            if rng.random() < 0.05:
                continue  # a gap
            if rng.random() < 0.05:
                value = float(rng.choice([0.0, value * 3 + 50, 1e9]))
            main.columns["n"][row, day] = 3
            main.columns["step"][row, day] = rng.choice([np.nan, 6e4, 9e5, 4e6])
            main.columns["interval"][row, day] = 3 * HOUR if slow else rng.choice([np.nan, 9e5])
            start, last = value + rng.random(), value + rng.random() + 5
            t = midnights(np.array([day + MAIN]))[0] + rng.integers(0, 10 * HOUR)
            point = (last - start, start, last, t, t + rng.integers(0, 9 * HOUR), float(rng.random() < 0.03))
            for name, number_ in zip(DayPoints._fields, (*point, float(rng.random() < 0.1)), strict=True):
                own.columns[name][place, day + MAIN - own.origin] = number_
            value = last + rng.random() * 10
    return main, own, rows, places


@pytest.mark.parametrize("seed", range(30))
def test_plain_registers_are_joined_as_each_alone(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(many, "_CELLS", [1, 100, 1 << 20][seed % 3])
    rng = np.random.default_rng(seed)
    main, own, rows, places = grids(rng)
    limit = rng.choice([np.nan, 3.0, 100.0], ROWS)
    alone_main, alone_own = copy.deepcopy((main, own))
    changed, plain = join_plain(main, own, places, rows, limit, midnights)
    assert 10 < plain.sum() < ROWS - 5
    expected = set()
    for row, place, most in zip(rows[plain].tolist(), places[plain].tolist(), limit[plain].tolist(), strict=True):
        days = join_register(alone_main, alone_own, place, row, (math.inf, (), most), midnights)
        expected |= {(row, day) for day in days.tolist()}
    assert changed == expected
    for name in main.columns:
        assert main.columns[name].tobytes() == alone_main.columns[name].tobytes(), name
    assert own.columns["meter_changes"].tobytes() == alone_own.columns["meter_changes"].tobytes()
    assert join_plain(main, own, places, rows, limit, midnights)[0] == set()


def interval(main: DayGrid, row: int, day: int, fixed_s: float) -> float:
    """The registry's, else the smaller of the day's step and the lower median of all steps; none without a reading."""
    if not main.columns["n"][row, day]:
        return math.nan
    if not math.isnan(fixed_s):
        return fixed_s * 1000
    steps = sorted(step for step in main.columns["step"][row].tolist() if not math.isnan(step))
    own = main.columns["step"][row, day]
    return min([step for step in (own, statistics.median_low(steps)) if not math.isnan(step)]) if steps else math.nan


@pytest.mark.parametrize("seed", range(10))
def test_intervals_are_the_smaller_of_the_days_and_the_median_step(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(many, "_CELLS", [1, 100, 1 << 20][seed % 3])
    rng = np.random.default_rng(seed)
    main, _, rows, _ = grids(rng)
    fixed = rng.choice([np.nan, 60.0], ROWS)
    before = copy.deepcopy(main.columns["interval"])
    expected = before.copy()
    for row, seconds in zip(rows.tolist(), fixed.tolist(), strict=True):
        expected[row] = [interval(main, row, day, seconds) for day in range(DAYS)]
    changed = settle_intervals(main, rows, fixed)
    np.testing.assert_array_equal(main.columns["interval"], expected)
    differs = ~((before == expected) | (np.isnan(before) & np.isnan(expected)))
    assert changed == {(int(row), int(day) + MAIN) for row, day in zip(*np.nonzero(differs), strict=True)}
    assert changed


def test_a_register_that_has_no_place_yet_is_not_plain() -> None:
    main, own, rows, places = grids(np.random.default_rng(1))
    places[:30] = -1
    before = main.columns["increase"][rows[:30]].tobytes()
    _, plain = join_plain(main, own, places, rows, np.full(ROWS, np.nan), midnights)
    assert not plain[:30].any()
    assert main.columns["increase"][rows[:30]].tobytes() == before


@pytest.mark.parametrize(
    ("last", "first", "gap_h", "limit", "plain"),
    [
        (1e4, 1e4, 10.0, NAN, True),  # it stands still
        (1e4, 1e4 - 0.1, 10.0, NAN, False),
        (1e4, 1e4 + 50, 10.0, 5.0, True),  # exactly what it can count in the hours between
        (1e4, 1e4 + 50.1, 10.0, 5.0, False),
        (1e4, 1e4 + 5, 0.5, 5.0, True),  # an hour at least
        (1e4, 1e4 + 5.1, 0.5, 5.0, False),
        (100.0, 201.0, 10.0, NAN, True),  # more than twice as much would be another meter
        (100.0, 201.1, 10.0, NAN, False),
    ],
)
def test_what_a_plain_register_is(last: float, first: float, gap_h: float, limit: float, plain: bool) -> None:
    """Two days, each of 20 hours and with 3 counted in it, in the first rows of both grids."""
    main, own = DayGrid(MAIN_COLUMNS), DayGrid(OWN_COLUMNS)
    main.ensure(1, MAIN, MAIN + 1)
    own.ensure(1, OWN, MAIN + 1)
    main.columns["n"][0], main.columns["interval"][0] = 5, HOUR
    ends = 20 * HOUR
    for day, start, value in ((0, 0.0, last - 3), (1, ends + gap_h * HOUR, first)):
        point = (3.0, value, value + 3, start, start + ends, 0.0, 0.0)
        for name, column in zip(DayPoints._fields, point, strict=True):
            own.columns[name][0, day + MAIN - OWN] = column
    zero = np.zeros(1, dtype=np.int64)
    found = join_plain(main, own, zero, zero, np.array([limit]), midnights)
    assert found[1].tolist() == [plain]
    main.columns["interval"][0] = 3 * HOUR
    assert not join_plain(main, own, zero, zero, np.array([limit]), midnights)[1].any(), "it is read too seldom"
    main.columns["interval"][0, 0] = HOUR
    assert join_plain(main, own, zero, zero, np.array([limit]), midnights)[1].tolist() == [plain]
