"""Windows with values that no accepted reading can have are refused: each bound at its edge, by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from telemetry.errors import Rejected
from telemetry.partials import Partials
from telemetry.quantities import QUANTITIES
from telemetry.series import Series, SeriesTable
from telemetry.wire import check_ranges
from tests.telemetry.samples import NAMES, T0, one_row

STATION, METER = NAMES[0], NAMES[1]
# Two readings, 1 and 3, of a series whose readings lie between -2 and 10.
PLAIN: dict[str, Any] = {
    "n": 2,
    "sum": 4.0,
    "min": 1.0,
    "max": 3.0,
    "sumsq": 10.0,
    "first": 1.0,
    "last": 3.0,
    "increase": 2.0,
}
WIDE = (-2.0, 10.0)

CAN_BE = [
    {}, {"min": -2.0}, {"max": 10.0}, {"min": 3.0, "max": 3.0}, {"first": -2.0}, {"first": 10.0}, {"last": -2.0},
    {"last": 10.0}, {"sum": 20.0}, {"sum": -20.0}, {"sum": 20.0 * (1 + 5e-10)}, {"sumsq": 0.0}, {"sumsq": 200.0},
    {"sumsq": 200.0 * (1 + 5e-10)}, {"increase": 0.0}, {"increase": 20.0}, {"increase": 20.0 * (1 + 5e-10)},
    {"increase": math.nan}, {"n": 1, "sum": 10.0, "sumsq": 100.0, "increase": 10.0},
    {"n": 0, "sum": 0.0, "sumsq": 0.0, "increase": 0.0, **dict.fromkeys(("min", "max", "first", "last"), math.nan)},
]  # fmt: skip
CANNOT_BE = [
    {"min": -2.01}, {"max": 10.01}, {"min": 3.01}, {"min": 11.0, "max": 12.0}, {"min": -4.0, "max": -3.0},
    {"first": -2.01}, {"first": 10.01}, {"last": -2.01}, {"last": 10.01}, {"sum": 20.01}, {"sum": -20.01},
    {"sum": 20.0 * (1 + 1e-8)}, {"sumsq": -0.01}, {"sumsq": 200.01}, {"sumsq": 200.0 * (1 + 1e-8)}, {"increase": -0.01},
    {"increase": 20.01}, {"increase": 20.0 * (1 + 1e-8)}, {"sum": math.inf}, {"sum": math.nan}, {"sumsq": math.nan},
    {"sumsq": math.inf}, {"n": 1, "sum": 10.01}, {"n": 1, "sumsq": 100.01}, {"n": 1, "increase": 10.01},
    {"n": 0, "sum": 0.01},
]  # fmt: skip


def check(row: dict[str, Any], limits: tuple[float, float] = WIDE) -> None:
    own = SeriesTable(NAMES)
    check_ranges(one_row(0, **PLAIN | row), own, {STATION: limits})


@pytest.mark.parametrize("row", CAN_BE, ids=str)
def test_what_readings_can_give_is_taken(row: dict[str, Any]) -> None:
    check(row)


@pytest.mark.parametrize("row", CANNOT_BE, ids=str)
def test_what_no_reading_can_give_is_refused(row: dict[str, Any]) -> None:
    with pytest.raises(Rejected, match="'no2'"):
        check(row)


def test_the_end_of_the_range_that_is_farther_from_zero_bounds_sums() -> None:
    check({"min": -9.0, "max": 2.0, "first": -9.0, "last": -9.0, "sum": -20.0, "sumsq": 200.0}, (-10.0, 2.0))


def test_without_a_range_of_its_own_a_series_has_its_quantitys() -> None:
    highest = QUANTITIES["no2"].high
    own = SeriesTable(NAMES)
    row = PLAIN | {"n": 1, "sum": highest, "max": highest, "last": highest}
    check_ranges(one_row(0, **row), own, {})
    with pytest.raises(Rejected):
        check_ranges(one_row(0, **row | {"max": highest * 1.01}), own, {})


def test_each_row_is_held_against_its_own_series_and_the_wrong_one_is_named() -> None:
    own = SeriesTable(NAMES)
    ranges = {STATION: (0.0, 5.0), METER: (0.0, 1e6)}
    large = PLAIN | {"sum": 400.0, "max": 300.0, "last": 300.0, "sumsq": 1e5}
    good = Partials.concat([one_row(1, **large), one_row(0, **PLAIN), one_row(1, start=T0 + 60_000, **large)])
    check_ranges(good, own, ranges)
    with pytest.raises(Rejected, match="'no2'"):
        check_ranges(Partials.concat([good, one_row(0, **large)]), own, ranges)
    with pytest.raises(Rejected, match="'energy_total'"):
        check_ranges(Partials.concat([good, one_row(1, **large | {"first": -1.0})]), own, ranges)


def test_no_rows_are_in_any_range() -> None:
    check_ranges(Partials.empty(), SeriesTable([Series("aba", "m", "no2")]), {})
    assert np.isfinite(QUANTITIES["no2"].high)
