"""The median step between readings against a sorted list of all steps, each as often as it counts."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi_derivation.engine.families.totals import FAMILY, typical_step
from telemetry.partials import fold
from telemetry.readings import Readings
from telemetry.windows import HOUR

TIMES = st.lists(st.integers(0, 5 * 60 - 1), min_size=1, max_size=20, unique=True).map(sorted)  # minutes of five hours


def expected(minutes: list[int]) -> float:
    """Within an hour the mean step, as often as there are steps; between hours the gap once; the lower median."""
    hours = [[m for m in minutes if m // 60 == h] for h in sorted({m // 60 for m in minutes})]
    steps = [Fraction(h[-1] - h[0], len(h) - 1) for h in hours for _ in h[1:]]
    steps += [Fraction(b[0] - a[-1]) for a, b in itertools.pairwise(hours)]
    return float(sorted(steps)[(len(steps) - 1) // 2]) * 60_000 if steps else math.nan


def found(days: list[list[int]], flagged: frozenset[int] = frozenset()) -> list[float]:
    """Of each list, which is a series of its own."""
    rows = [(series, m) for series, minutes in enumerate(days) for m in minutes]
    flags = [int(m in flagged) for _, m in rows]
    readings = Readings.of([s for s, _ in rows], [m * 60_000 for _, m in rows], [1.0] * len(rows), flag=flags)
    hours = fold(readings, HOUR, np.full(len(rows), math.nan))
    return [float(step) for step in typical_step(hours, hours.series)]


@given(st.lists(TIMES, min_size=1, max_size=4))
def test_the_median_step_of_each_series(days: list[list[int]]) -> None:
    assert found(days) == pytest.approx([expected(minutes) for minutes in days], nan_ok=True)


@pytest.mark.parametrize(
    ("minutes", "step"),
    [
        ([0, 10, 20, 30, 40, 50], 10),
        ([0, 10], 10),
        ([55, 70], 15),
        ([0, 4, 61], 4),
        ([0, 60, 180, 185], 60),
        ([7], None),
    ],
)
def test_known_steps(minutes: list[int], step: int | None) -> None:
    assert found([minutes]) == pytest.approx([math.nan if step is None else step * 60_000], nan_ok=True)


def test_hours_without_an_accepted_reading_have_no_step() -> None:
    assert found([[0, 60, 61, 120]], frozenset({60, 61})) == [120 * 60_000]


def test_a_day_without_readings_has_none() -> None:
    assert [FAMILY.columns[name] for name in ("n", "sum", "flagged")] == [0.0, 0.0, 0.0]
