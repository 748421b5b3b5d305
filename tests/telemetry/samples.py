"""Readings made up by Hypothesis, and how partials are compared."""

from __future__ import annotations

import math
from dataclasses import fields
from typing import Any

import numpy as np
from hypothesis import strategies as st

from telemetry.partials import Partials, column_type, fold
from telemetry.readings import Readings
from telemetry.series import FloatArray, Series, SeriesTable
from telemetry.windows import MINUTE

T0 = 1_514_764_800_000
GAUGE, COUNTER, ROLLING, DELTA = range(4)
# Of each series what `step` must know: no counter, a register without end, one that rolls over at 1000, no counter.
MODULUS = np.array([math.nan, math.inf, 1000.0, math.nan])
NAMES = [
    Series("aba", "station", "no2"),
    Series("aba", "meter", "energy_total"),
    Series("aba", "old-meter", "pulses"),
    Series("aba", "charger", "session_energy"),
]
EXACT = ("series", "start", "n", "min", "max", "first_t", "first", "last_t", "last", "flagged", "lag")
SUMS = ("sum", "sumsq", "increase")

# Whole and decimal numbers, small ones often, so that counters reset and repeat.
_VALUE = st.one_of(
    st.integers(0, 1000).map(float),
    st.floats(0, 999.9, allow_nan=False).map(lambda v: round(v, 3)),
    st.sampled_from([0.0, 1.0, 950.0, 999.0, 0.1]),
)


@st.composite
def readings(draw: st.DrawFn, minutes: int = 6, most: int = 12) -> Readings:
    """Up to `most` readings of few series in few minutes, each (series, t, key) once, some flagged; any row order."""
    identity = st.tuples(st.integers(0, 3), st.integers(0, minutes * 60 - 1).map(lambda s: T0 + 1000 * s))
    keyed = st.tuples(identity, st.integers(0, 1)).map(lambda x: (*x[0], x[1] if x[0][0] == DELTA else 0))
    chosen = draw(st.lists(keyed, max_size=most, unique=True))
    size = len(chosen)
    value = draw(st.lists(_VALUE, min_size=size, max_size=size))
    late = draw(st.lists(st.integers(0, 10**7), min_size=size, max_size=size))
    flag = draw(st.lists(st.sampled_from([0, 0, 0, 1, 2]), min_size=size, max_size=size))
    t = [row[1] for row in chosen]
    arrival = [a + b for a, b in zip(t, late, strict=True)]
    return Readings.of([row[0] for row in chosen], t, value, [row[2] for row in chosen], arrival, flag)


def modulus(found: Readings | Partials) -> FloatArray:
    return MODULUS[found.series]


def folded(found: Readings, width: int = MINUTE) -> Partials:
    return fold(found, width, modulus(found))


def one_row(series: int, start: int = T0, **columns: Any) -> Partials:
    """One row of a series, with these numbers; times and counts that are not named are those of its start."""
    made: dict[str, Any] = {"series": series, "start": start, "first_t": start, "last_t": start, "flagged": 0, "lag": 0}
    made |= columns
    rows: list[Any] = [np.array([made[f.name]], dtype=column_type(f.name)) for f in fields(Partials)]
    return Partials(*rows)


def table() -> SeriesTable:
    return SeriesTable(NAMES)


def bits(found: Partials) -> dict[str, list[int]]:
    """Every column as the bits of its numbers, all NaNs alike."""
    columns = {f.name: getattr(found, f.name) for f in fields(Partials)}
    return {
        name: (np.where(np.isnan(c), np.nan, c).view(np.int64) if c.dtype.kind == "f" else c).tolist()
        for name, c in columns.items()
    }


def assert_same(one: Partials, other: Partials) -> None:
    """Equal: exactly where nothing is added up as floats, closely where it is."""
    for name in EXACT:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)
    for name in SUMS:
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), rtol=1e-12, atol=1e-9, err_msg=name)
