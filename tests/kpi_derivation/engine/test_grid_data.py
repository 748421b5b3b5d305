"""Which days of a grid have data."""

from __future__ import annotations

import numpy as np

from kpi_derivation.engine.days.grid import DayGrid

FILLS = {"n": 0.0, "flagged": 0.0, "increase": 0.0, "covered": 0.0}


def test_a_day_has_data_where_a_reading_was_accepted_or_flagged() -> None:
    grid = DayGrid(FILLS)
    assert grid.days_with_data() == []
    assert not grid.has_data(100)
    grid.ensure(3, 100, 106)
    places = np.array([0, 2, 2]), np.array([101, 104, 101])
    grid.put(*places, {"n": np.array([1.0, 0.0, 2.0]), "flagged": np.array([0.0, 3.0, 0.0])})
    assert grid.days_with_data() == [101, 104]
    assert [day for day in range(90, 120) if grid.has_data(day)] == [101, 104]
    assert sorted({int(day) for day in grid.with_data()[1]}) == [101, 104]


def test_days_between_two_readings_of_a_register_are_derived_again_too() -> None:
    grid = DayGrid(FILLS)
    grid.ensure(2, 100, 106)
    grid.put(np.array([0, 0]), np.array([101, 104]), {"n": np.array([1.0, 1.0])})
    grid.columns["increase"][0, 2:4], grid.columns["covered"][0, 3] = (0.5, 0.0), 86_400_000.0  # 102 and 103
    assert grid.days_with_data() == [101, 102, 103, 104]
    assert [int(day) for day in grid.with_data(102)[1]] == [102, 103, 104]
    assert [day for day in range(90, 120) if grid.has_data(day)] == [101, 104], "measured on"
