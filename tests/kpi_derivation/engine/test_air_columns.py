"""The columns of an air station's day on hours written down by hand, and at each limit itself."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from kpi_derivation.engine.days.blocks import HOURS, LEAD
from kpi_derivation.engine.families.air import FAMILY, fold

NAN = math.nan


def day(hours: dict[int, float]) -> list[float]:
    """Hours since midnight (-7 to -1: of the day before) as a row; the others have no valid mean."""
    row = [NAN] * HOURS
    for hour, value in hours.items():
        row[LEAD + hour] = value
    return row


def columns(*rows: tuple[dict[int, float], str], length: int = 24, eu_scale: float = 1.0) -> dict[str, list[float]]:
    """The columns of these days, a series each."""
    block: Any = SimpleNamespace(
        valid=np.array([day(hours) for hours, _ in rows]),
        quantity=[quantity for _, quantity in rows],
        eu_scale=np.full(len(rows), eu_scale),
        length=np.full(len(rows), length),
    )
    return {name: values.tolist() for name, values in fold(block).items()}


def test_highest_and_lowest_hour_of_the_day_itself() -> None:
    found = columns(({-1: 900.0, 0: 20.0, 5: 40.0, 23: 10.0}, "pm10"), ({-1: 900.0}, "pm10"), ({3: 7.0}, "pm10"))
    np.testing.assert_array_equal(found["max1"], [40.0, NAN, 7.0])
    np.testing.assert_array_equal(found["min1"], [10.0, NAN, 7.0])
    nothing = columns(({-1: 900.0}, "pm10"))
    assert math.isnan(nothing["max1"][0])
    assert math.isnan(nothing["min1"][0])


def test_six_of_eight_hours_make_a_running_mean() -> None:
    six = {hour: 10.0 * (hour + 1) for hour in range(6)}  # 10 to 60: the mean of six is 35
    five = dict(list(six.items())[:5])
    found = columns((six, "o3"), (five, "o3"))
    # Ending at 5, 6 and 7 it holds all six; from 8 on one drops out, and five are too few.
    np.testing.assert_array_equal(found["max8"], [35.0, NAN])


def test_a_running_mean_holds_seven_hours_of_the_day_before() -> None:
    before = dict.fromkeys(range(-7, 0), 80.0)
    found = columns(({**before, 0: 0.0}, "o3"), (before, "o3"), (dict.fromkeys(range(-6, 0), 80.0), "o3"))
    np.testing.assert_array_equal(found["max8"], [70.0, 80.0, 80.0])


@pytest.mark.parametrize(("length", "highest"), [(23, 10.0), (24, 10.0), (25, 30.0)])
def test_the_last_hours_count_on_a_day_that_has_them(length: int, highest: float) -> None:
    """The 25th hour of the clock's change: a mean that ends with it belongs to a day of 25 hours only."""
    hours = dict.fromkeys(range(10, 17), 10.0) | {24: 30.0 + 20.0 * 5} | dict.fromkeys(range(19, 24), 10.0)
    found = columns((hours, "o3"), length=length)
    assert found["max8"] == [highest]


def test_a_mean_that_ends_with_the_last_hour_of_a_short_day_counts() -> None:
    hours = {**dict.fromkeys(range(10, 22), 10.0), 22: 90.0}
    assert columns((hours, "o3"), length=23)["max8"] == [20.0]
    assert columns((hours, "o3"), length=22)["max8"] == [10.0]


def test_hours_above_the_limit_of_their_gas() -> None:
    hours = {0: 200.0, 1: 200.5, 2: 350.0, 3: 350.5, 4: 10.0}
    found = columns((hours, "no2"), (hours, "so2"), (hours, "o3"), (hours, "pm10"))
    assert found["over"] == [3.0, 1.0, 0.0, 0.0]
    # A gas measured in ppb: two µg/m³ by the EU's conversion for each that is stored.
    assert columns((hours, "no2"), (hours, "so2"), eu_scale=2.0)["over"] == [4.0, 4.0]


@pytest.mark.parametrize(
    ("hours", "count"),
    [
        ({4: 10.0, 5: 100.0, 6: 10.0}, 1),
        ({4: 10.0, 5: 99.9, 6: 10.0}, 0),
        ({4: 12.5, 5: 100.0, 6: 10.0}, 0),
        ({4: 12.0, 5: 100.0, 6: 10.0}, 1),
        ({4: 10.0, 5: 100.0, 6: 12.5}, 0),
        ({4: 10.0, 5: 800.0, 6: 100.0}, 0),
        ({4: 10.0, 5: 801.0, 6: 100.0}, 1),
        ({4: 10.0, 5: 100.0}, 1),
        ({5: 100.0, 6: 10.0}, 0),
        ({4: 0.0, 5: 100.0, 6: 0.0}, 1),
        ({4: 10.0, 5: 300.0, 6: 320.0, 7: 10.0}, 0),
        ({-1: 10.0, 0: 500.0, 1: 10.0}, 1),
        ({-2: 10.0, -1: 500.0, 0: 10.0}, 0),
        ({22: 10.0, 23: 500.0}, 1),
        ({2: 10.0, 3: 500.0, 4: 10.0, 9: 20.0, 10: 600.0, 11: 15.0}, 2),
    ],
)
def test_single_hours_far_above_both_neighbours(hours: dict[int, float], count: int) -> None:
    assert columns((hours, "pm10"))["spikes"] == [float(count)]


def test_the_columns_look_back_seven_hours() -> None:
    assert FAMILY.lead_h == 7
    assert FAMILY.lead_h <= LEAD
