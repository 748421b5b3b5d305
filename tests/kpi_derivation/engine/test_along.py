"""What a day has from the other days of its series, on small grids whose figures are worked out by hand."""

from __future__ import annotations

import math

import numpy as np

from kpi_derivation.engine.days.along import COLUMNS, join_register
from kpi_derivation.engine.days.grid import DayGrid
from kpi_derivation.engine.days.many import settle_intervals
from kpi_derivation.engine.families.registers import FAMILY as REGISTERS
from kpi_derivation.engine.families.totals import FAMILY as TOTALS
from kpi_derivation.engine.families.validity import FAMILY as VALIDITY
from telemetry.series import IntArray
from telemetry.windows import DAY, HOUR

NAN = math.nan
MAIN, OWN = 1000, 990  # first days (ordinals) of the two grids
REGISTER = math.inf, (), NAN
MINUTE = 60_000.0


def main_grid(days: int) -> DayGrid:
    grid = DayGrid({**TOTALS.columns, **VALIDITY.columns, **COLUMNS})
    grid.ensure(2, MAIN, MAIN + days - 1)
    return grid


def settled(grid: DayGrid, row: int, fixed_s: float = NAN) -> list[int]:
    """The days (ordinals) whose interval changed."""
    changed = settle_intervals(grid, np.array([row]), np.array([fixed_s]))
    assert {changed_row for changed_row, _ in changed} <= {row}
    return sorted(day for _, day in changed)


def midnights(days: IntArray) -> IntArray:
    return np.asarray((days - MAIN) * DAY)


def test_a_day_without_a_neighbour_has_nothing() -> None:
    assert COLUMNS["increase"] == 0.0
    assert math.isnan(COLUMNS["interval"])


def test_an_interval_is_the_smaller_of_the_days_step_and_the_lower_median_of_all() -> None:
    grid = main_grid(6)
    c = grid.columns
    c["n"][1, :6] = [5, 1, 3, 0, 9, 2]
    c["step"][1, :6] = np.array([10, NAN, 40, NAN, 30, 20]) * MINUTE
    assert settled(grid, 1) == [MAIN, MAIN + 1, MAIN + 2, MAIN + 4, MAIN + 5]
    expected = [10, 20, 20, NAN, 20, 20]  # of 10, 20, 30, 40 the lower median is 20
    np.testing.assert_array_equal(c["interval"][1, :6] / MINUTE, expected)
    assert np.isnan(c["interval"][0]).all()
    assert settled(grid, 1) == []
    c["step"][1, 5] = 50 * MINUTE  # now 10, 30, 40, 50: the lower median is 30
    assert settled(grid, 1) == [MAIN + 1, MAIN + 2, MAIN + 4, MAIN + 5]
    np.testing.assert_array_equal(c["interval"][1, :6] / MINUTE, [10, 30, 30, NAN, 30, 30])


def test_of_three_steps_the_middle_one_counts() -> None:
    grid = main_grid(3)
    grid.columns["n"][0, :3] = 2
    grid.columns["step"][0, :3] = np.array([30, 10, 20]) * MINUTE
    settled(grid, 0)
    np.testing.assert_array_equal(grid.columns["interval"][0, :3] / MINUTE, [20, 10, 20])


def test_the_interval_of_the_registry_holds_on_every_day_with_a_reading() -> None:
    grid = main_grid(3)
    grid.columns["n"][0, :3] = [1, 0, 7]
    grid.columns["step"][0, :3] = [NAN, NAN, 5 * MINUTE]
    assert settled(grid, 0, 90.0) == [MAIN, MAIN + 2]
    np.testing.assert_array_equal(grid.columns["interval"][0, :3], [90_000.0, NAN, 90_000.0])


def test_without_a_step_there_is_no_interval() -> None:
    grid = main_grid(2)
    grid.columns["n"][0, :2] = [1, 1]
    assert settled(grid, 0) == []
    assert np.isnan(grid.columns["interval"][0]).all()


def register(days: dict[int, tuple[float, float, float, float]], interval: float = HOUR) -> tuple[DayGrid, DayGrid]:
    """Grids of 8 days with one register in row 1 of `main` and row 2 of `own`: (first hour, first, last hour, last)."""
    main, own = main_grid(8), DayGrid(REGISTERS.columns)
    own.ensure(3, OWN, MAIN + 7)
    for day, (first_t, first, last_t, last) in days.items():
        put(main, own, day, (first_t, first, last_t, last), interval)
    return main, own


def put(
    main: DayGrid, own: DayGrid, day: int, point: tuple[float, float, float, float], interval: float = HOUR
) -> None:
    first_t, first, last_t, last = point
    main.columns["n"][1, day] = 2
    main.columns["interval"][1, day] = interval
    at = day + MAIN - OWN
    for name, value in {
        "inside": last - first, "first": first, "last": last, "first_t": first_t * HOUR, "last_t": last_t * HOUR,
        "changed": 0.0, "tail": 0.0,
    }.items():  # fmt: skip
        own.columns[name][2, at] = value


def joined(main: DayGrid, own: DayGrid, limit: float = NAN) -> list[int]:
    """The days (since MAIN) that `join_register` says differ."""
    found = join_register(main, own, 2, 1, (math.inf, (), limit), midnights)
    return [int(day) - MAIN for day in found]


def column(grid: DayGrid, name: str, row: int = 1) -> list[float]:
    return [float(value) for value in grid.columns[name][row, :8]]


def test_days_that_changed_are_named_and_no_other() -> None:
    main, own = register({1: (34, 100, 44, 110), 2: (52, 114, 70, 120)})
    assert joined(main, own) == [1, 2]
    assert column(main, "increase") == [0, 12, 8, 0, 0, 0, 0, 0]
    assert joined(main, own) == []
    put(main, own, 5, (126, 176, 130, 180))  # 56 in the 56 hours between: 2, 24, 24 and 6, and 4 in the day
    assert joined(main, own) == [2, 3, 4, 5]
    assert column(main, "increase") == [0, 12, 10, 24, 24, 10, 0, 0]
    assert column(main, "increase", 0) == [0.0] * 8
    put(main, own, 0, (10, 70, 14, 74))  # 26 in the 20 hours before: 13 each
    assert joined(main, own) == [0, 1]
    assert column(main, "increase") == [17, 25, 10, 24, 24, 10, 0, 0]


def test_the_share_of_days_that_lost_their_readings_is_removed() -> None:
    main, own = register({1: (34, 100, 44, 110), 2: (52, 114, 70, 120)})
    joined(main, own)
    main.columns["n"][1] = 0
    assert joined(main, own) == [1, 2]
    assert column(main, "increase") == [0.0] * 8
    assert joined(main, own) == []


def test_a_day_outside_of_the_readings_has_no_share_any_more() -> None:
    main, own = register({1: (34, 100, 44, 110), 4: (100, 166, 110, 176)})
    joined(main, own)
    assert column(main, "increase") == [0, 10 + 4, 24, 24, 4 + 10, 0, 0, 0]
    main.columns["n"][1, 4] = 0
    assert joined(main, own) == [1, 2, 3, 4]
    assert column(main, "increase") == [0, 10, 0, 0, 0, 0, 0, 0]


def test_the_day_of_a_changed_meter_is_noted_and_named() -> None:
    main, own = register({1: (34, 5000, 44, 5010), 2: (52, 114, 70, 120)})
    # 114 after 5010 cannot be a reset of a register that counts one an hour: another meter.
    assert joined(main, own) == [1, 2]
    noted = own.columns["meter_changes"][2].tolist()
    assert [day for day, value in enumerate(noted, OWN - MAIN) if value] == [2]
    assert joined(main, own) == []
    put(main, own, 1, (34, 100, 44, 110))  # a correction: the register only grows
    assert joined(main, own) == [1, 2]
    assert own.columns["meter_changes"][2].sum() == 0.0
    assert own.columns["meter_changes"][:2].sum() == 0.0


def test_a_change_of_the_note_alone_names_its_day() -> None:
    main, own = register({1: (34, 100, 44, 110), 2: (52, 114, 70, 120)})
    joined(main, own)
    own.columns["meter_changes"][2, 3 + MAIN - OWN] = 1.0  # outside of the readings: left over
    assert joined(main, own) == [3]
    assert own.columns["meter_changes"].sum() == 0.0


def test_only_a_register_that_is_read_seldom_on_every_day_is_covered_by_its_steps() -> None:
    days = {1: (30.0, 100.0, 42.0, 106.0), 2: (54.0, 112.0, 66.0, 118.0)}
    main, own = register(days, interval=12.0 * HOUR)
    joined(main, own)
    assert [value / HOUR for value in column(main, "covered")] == [0, 18, 18, 0, 0, 0, 0, 0]
    for interval in (2.0 * HOUR, HOUR):
        main, own = register(days, interval=12.0 * HOUR)
        main.columns["interval"][1, 2] = interval
        joined(main, own)
        assert column(main, "covered") == [0.0] * 8
