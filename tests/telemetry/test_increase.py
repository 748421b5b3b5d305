"""The increase of counters against exact arithmetic in fractions, written without the code under test."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from telemetry.partials import Partials, fold, regroup, step
from telemetry.readings import Readings
from telemetry.windows import HOUR, MINUTE, window_start

T0 = 1_700_000_000_000 // HOUR * HOUR
TENTHS = st.integers(0, 1_000_000).map(lambda n: Fraction(n, 10))


def exact_step(before: Fraction, after: Fraction, modulus: Fraction | None) -> Fraction:
    """What the meter counted: forward, over its end, since a restart, or nothing where it only rounded down."""
    if after >= before:
        return after - before
    if modulus is not None and before * 10 > modulus * 9 and after * 10 < modulus:
        return modulus - before + after
    fell_by_a_tenth = after * 10 <= before * 9
    return after if fell_by_a_tenth else Fraction(0)


def exact_increase(values: list[Fraction], modulus: Fraction | None) -> Fraction:
    return sum((exact_step(a, b, modulus) for a, b in pairwise(values)), Fraction(0))


def away_from_limits(values: list[Fraction]) -> bool:
    """Whether no fall is exactly a tenth, where binary fractions may decide either way."""
    return all(10 * b != 9 * a for a, b in pairwise(values))


def windows(values: list[Fraction], step_s: int, modulus: float) -> Partials:
    times = [T0 + 1000 * step_s * i for i in range(len(values))]
    readings = Readings.of([0] * len(values), times, [float(v) for v in values])
    return fold(readings, MINUTE, np.full(len(values), modulus))


def increase(values: list[Fraction], step_s: int, modulus: float) -> float:
    """Over all windows of a day, joined as the hours and the day are."""
    base = windows(values, step_s, modulus)
    day = regroup(base, np.zeros(len(base), dtype=np.int64), np.full(len(base), modulus))
    return float(day.increase[0])


@pytest.mark.parametrize(
    ("values", "modulus", "expected"),
    [
        (["12345.0", "12344.9", "12346.1"], math.inf, "1.2"),  # a register that rounds down, not a reset
        (["12345.0", "12344.9"], math.inf, "0"),
        (["100", "90.1", "91"], math.inf, "0.9"),  # fell by 9.9 %: rounding
        (["100", "90", "91"], math.inf, "91"),  # fell by 10 %: a reset, 90 counted since
        (["100", "0", "5"], math.inf, "5"),
        (["9999.5", "0.25", "1"], 10000.0, "1.5"),  # over the end: 0.5 + 0.25 + 0.75
        (["9000.0", "0.25"], 10000.0, "0.25"),  # exactly nine tenths is not near the end
        (["9000.1", "999.9"], 10000.0, "1999.8"),
        (["9000.1", "1000"], 10000.0, "1000"),  # exactly one tenth is not near the start
        (["5", "5", "5"], math.inf, "0"),
        (["7"], math.inf, "0"),
        (["-5", "-5"], math.inf, "0"),  # a signed register that stands still
    ],
)
@pytest.mark.parametrize("step_s", [1, 30, 90, 4000])
def test_known_registers(values: list[str], modulus: float, expected: str, step_s: int) -> None:
    numbers = [Fraction(v) for v in values]
    assert exact_increase(numbers, None if math.isinf(modulus) else Fraction(modulus)) == Fraction(expected)
    assert increase(numbers, step_s, modulus) == pytest.approx(float(Fraction(expected)), abs=1e-9)


@given(
    st.lists(TENTHS, min_size=1, max_size=30), st.sampled_from([1, 7, 20, 61, 600]), st.sampled_from([None, 100_000])
)
@example([Fraction(12345), Fraction(123449, 10), Fraction(12346)], 20, None)
def test_any_register_in_windows_of_any_size(values: list[Fraction], step_s: int, modulus: int | None) -> None:
    assume(away_from_limits(values))
    size = None if modulus is None else Fraction(modulus)
    expected = exact_increase(values, size)
    assert increase(values, step_s, math.inf if modulus is None else float(modulus)) == pytest.approx(
        float(expected), abs=1e-6
    )


@given(st.lists(TENTHS, min_size=2, max_size=12))
def test_each_window_has_its_own_steps_and_the_merge_adds_those_between(values: list[Fraction]) -> None:
    """Windows of one minute with a reading each 20 s: three readings a window."""
    assume(away_from_limits(values))
    base = windows(values, 20, math.inf)
    groups = [values[i : i + 3] for i in range(0, len(values), 3)]
    assert [pytest.approx(float(exact_increase(g, None)), abs=1e-6) for g in groups] == base.increase.tolist()
    hours = regroup(base, window_start(base.start, HOUR), np.full(len(base), math.inf))
    assert hours.increase.sum() == pytest.approx(float(exact_increase(values, None)), abs=1e-6)


def test_a_gauge_has_no_increase() -> None:
    assert np.isnan(windows([Fraction(1), Fraction(2)], 1, math.nan).increase).all()


def test_a_gauge_beside_a_register_does_not_hide_its_increase() -> None:
    readings = Readings.of([0, 1, 0, 1], [T0, T0, T0 + 1, T0 + 1], [20.0, 100.0, 21.0, 103.5])
    found = fold(readings, MINUTE, np.array([math.nan, math.inf, math.nan, math.inf]))
    assert np.isnan(found.increase[0])
    assert found.increase[1] == 3.5


@given(TENTHS, TENTHS)
def test_a_step_is_never_negative_and_never_more_than_the_register(before: Fraction, after: Fraction) -> None:
    got = float(step(np.array([float(before)]), np.array([float(after)]), np.array([math.inf]))[0])
    assert 0.0 <= got <= max(float(before), float(after))


def test_windows_in_any_order_join_to_the_same_hour() -> None:
    base = windows([Fraction(n) for n in (1, 4, 9, 16, 25)], 60, math.inf)
    backwards = base.take(np.arange(len(base))[::-1])
    hour = regroup(backwards, window_start(backwards.start, HOUR), np.full(len(base), math.inf))
    assert (hour.n.tolist(), hour.first.tolist(), hour.last.tolist(), hour.increase.tolist()) == ([5], [1], [25], [24])
