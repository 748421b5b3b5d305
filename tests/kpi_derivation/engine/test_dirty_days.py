"""Which days are folded: sets of (row, day) against Python's, days outside of service, and columns of empty days."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kpi_derivation.engine.days.folding import _Wanted
from kpi_derivation.engine.families.totals import typical_step
from kpi_derivation.engine.row_days import RowDays
from telemetry.partials import fold
from telemetry.readings import Readings
from telemetry.windows import DAY, HOUR
from tests.kpi_derivation.golden.world import LATER, Reading, World, at

PAIRS = st.sets(st.tuples(st.integers(0, 30), st.integers(5, 12)), max_size=20)


@given(PAIRS, PAIRS)
def test_a_set_of_days_holds_what_was_put_in_and_nothing_else(
    wanted: set[tuple[int, int]], asked: set[tuple[int, int]]
) -> None:
    every = sorted(asked | wanted | {(row + a, day + b) for row, day in wanted for a, b in ((1, 0), (0, 1), (0, -1))})
    found = _Wanted(RowDays.pairs(wanted)).has(*np.array(every, dtype=np.int64).reshape(-1, 2).T)
    assert {pair for pair, there in zip(every, found.tolist(), strict=True) if there} == wanted


def test_the_way_from_one_day_to_the_next_is_no_step_of_either() -> None:
    t = [0, 10, 20, DAY // 60_000 - 10, DAY // 60_000, DAY // 60_000 + 30]  # minutes
    hours = fold(Readings.of([0] * len(t), [m * 60_000 for m in t], [1.0] * len(t)), HOUR, np.full(len(t), np.nan))
    day = hours.start // DAY
    # Of the first day: 10, 10, and from 00:20 to 23:50; of the second: 30.
    assert typical_step(hours, day).tolist() == [10 * 60_000, 30 * 60_000]


def world(**more: Any) -> World:
    return World([{"id": "d", "kind": "air_reference", "quantities": ["pm10"], "interval_s": 600, **more}])


def column(w: World, name: str, day: date) -> float:
    number = day.toordinal()
    return float(w.engine._days.daily(["d"], "pm10", number, number)[name][0, 0])


def test_a_day_without_readings_between_two_others_counts_nothing() -> None:
    w = world()
    first = at("2020-03-02")
    w.take([Reading(first + d * DAY + i * 600_000, "d", "pm10", 3.0) for d in (0, 2) for i in range(144)])
    w.engine.evaluate(LATER)
    empty = date(2020, 3, 3)
    for name in ("n", "sum", "flagged", "covered", "hours", "hour_sum"):
        assert column(w, name, empty) == 0.0, name
    assert column(w, "hours", empty + timedelta(days=1)) == 24.0


def test_hours_outside_of_service_make_no_day() -> None:
    w = world(since="2020-03-05")
    w.take([Reading(at("2020-03-02") + i * 600_000, "d", "pm10", 3.0) for i in range(144)])
    w.engine.evaluate(LATER)
    assert column(w, "n", date(2020, 3, 2)) == 0.0
    w.take([Reading(at("2020-03-05") + i * 600_000, "d", "pm10", 3.0) for i in range(144)])
    w.engine.evaluate(LATER)
    assert (column(w, "n", date(2020, 3, 2)), column(w, "n", date(2020, 3, 5))) == (0.0, 144.0)


def test_days_before_1970_are_folded_like_others() -> None:
    w = world()
    w.take([Reading(at("1961-03-02") + i * 600_000, "d", "pm10", 3.0) for i in range(144)])
    w.engine.evaluate(LATER)
    assert (column(w, "n", date(1961, 3, 2)), column(w, "hours", date(1961, 3, 2))) == (144.0, 24.0)


def test_a_span_that_was_read_marks_its_own_days_and_not_the_hours_before_them() -> None:
    w = world()
    first = at("2020-03-02")
    w.take([Reading(first + d * DAY + h * HOUR, "d", "pm10", 3.0) for d in (0, 1) for h in (0, 23)])
    hours = w.memory.levels["hour"]
    folding = w.engine._days._folding
    folding._dirty = RowDays()
    folding.touch(hours, first + DAY)
    assert {day for _, day in folding._dirty} == {date(2020, 3, 3).toordinal()}
    folding._dirty = RowDays()
    folding.touch(hours.take(np.array([2])), int(hours.start[2]))  # the first hour of the day, and nothing else
    assert {day for _, day in folding._dirty} == {date(2020, 3, 3).toordinal()}


def test_late_hours_of_two_days_running_reach_the_day_after_them() -> None:
    w = World([{"id": "d", "kind": "air_reference", "quantities": ["o3"], "interval_s": 3600}])
    first = at("2020-03-02")
    w.take([Reading(first + h * HOUR, "d", "o3", 50.0) for h in range(72) if h % 24 < 22 or h >= 48])
    w.engine.evaluate(LATER)
    w.take([Reading(first + h * HOUR, "d", "o3", 90.0) for h in (22, 23, 46, 47)])
    w.engine._days.settle()
    third = date(2020, 3, 4).toordinal()
    # The mean that ends at 00-01 of the third day holds two hours of 90 and six of 50.
    assert w.engine._days.daily(["d"], "o3", third, third)["max8"][0, 0] == 60.0
