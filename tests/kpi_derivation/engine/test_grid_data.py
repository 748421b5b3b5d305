"""Which days of a grid have data."""

from __future__ import annotations

import numpy as np

from kpi_derivation.engine.days.grid import DayGrid

FILLS = {"n": 0.0, "flagged": 0.0}


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
