"""Windows are integer arithmetic: every time lies in exactly one, and widths divide the hour."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.errors import UsageError
from telemetry.windows import HOUR, MINUTE, parse_width, window_start

TIME = st.integers(-(2**42), 2**42)
WIDTH = st.sampled_from([1, 1000, MINUTE, 15 * MINUTE, HOUR])
PHASE = st.sampled_from([0, 15 * MINUTE, 30 * MINUTE, 45 * MINUTE])


@given(TIME, WIDTH, PHASE)
def test_a_time_lies_in_its_window_and_a_window_in_itself(t: int, width: int, phase: int) -> None:
    start = window_start(t, width, phase)
    assert start <= t < start + width
    assert (start - phase) % width == 0
    assert window_start(start, width, phase) == start == window_start(start + width - 1, width, phase)


@given(st.lists(TIME, max_size=5), WIDTH, PHASE)
def test_columns_are_treated_like_single_times(times: list[int], width: int, phase: int) -> None:
    column = window_start(np.array(times, dtype=np.int64), width, phase)
    assert column.tolist() == [window_start(t, width, phase) for t in times]


@given(TIME, st.sampled_from([1000, MINUTE, 5 * MINUTE, 15 * MINUTE]))
def test_a_window_lies_wholly_in_one_hour(t: int, width: int) -> None:
    start = window_start(t, width)
    assert window_start(start, HOUR) == window_start(start + width - 1, HOUR)


@pytest.mark.parametrize(
    ("text", "ms"),
    [("60s", MINUTE), ("60", MINUTE), ("1m", MINUTE), ("5min", 5 * MINUTE), ("1h", HOUR), ("500ms", 500), ("1s", 1000)],
)
def test_a_width_is_read(text: str, ms: int) -> None:
    assert parse_width(text) == ms


@pytest.mark.parametrize(
    "text", ["", "0s", "-60s", "7s", "2h", "1d", "60 s", "6e1s", "s", "60sec", "٦٠s", "²s", "1.5m"]
)
def test_a_width_that_does_not_divide_the_hour_or_is_none_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="width"):
        parse_width(text)
