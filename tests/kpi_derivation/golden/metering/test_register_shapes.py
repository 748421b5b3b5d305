"""Registers of many shapes, sizes and intervals: what is counted, with one thing wrong, is what the meter counted.

The truth is the difference of the undisturbed register; where the meter was replaced or reset, one step may be missing.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from kpi_derivation.rules.metering.registers import Register, steps
from telemetry.series import FloatArray
from telemetry.windows import HOUR

N = 60
SHAPES = ("home", "flat", "sun", "plant", "heating", "pulses", "seldom")
# hours between readings, and kW of the connection in units of a home's
SIZES = [
    (1 / 60, 1.0),
    (0.25, 1.0),
    (1.0, 1.0),
    (1.0, 100.0),
    (1.0, 20_000.0),
    (24.0, 1.0),
    (24.0, 100.0),
    (720.0, 1.0),
]
STARTS = (300.0, 5000.0, 80_000.0)


def steps_of(shape: str, hours: float, chance: np.random.Generator) -> FloatArray:
    """Energy between readings of a register of about 1 kW."""
    t = np.arange(N) * hours
    power: dict[str, Callable[[], FloatArray]] = {
        "home": lambda: 0.2 + 0.3 * chance.random(N) + 3.0 * (chance.random(N) < 0.05),
        "flat": lambda: np.ones(N),
        "sun": lambda: np.maximum(np.sin((t % 24 - 6) / 12 * np.pi), 0) * chance.uniform(0.1, 1, N),
        "plant": lambda: chance.choice([0.0, 0.0, 1.0], N) * chance.uniform(0.8, 1.0, N),
        "heating": lambda: np.maximum(0, 1 + np.cos(np.arange(N) / N * 6.28)) * chance.uniform(0.5, 1.5, N),
        "pulses": lambda: np.where(np.arange(N) % 15 == 7, 20.0, 0.01),
        "seldom": lambda: np.where(chance.random(N) < 0.1, 1.0, 0.0),
    }
    return np.asarray(power[shape]() * hours)


def counted(hours: float, v: FloatArray, limit: float = np.nan) -> float:
    t = np.round(np.arange(len(v)) * hours * HOUR).astype(np.int64)
    return float(steps(Register(t, v, np.full(len(v), np.nan), np.inf, limit)).energy.sum())


def register(shape: str, size: tuple[float, float], start: float, seed: int) -> tuple[FloatArray, int, float]:
    """Readings, a place in the middle, and the largest step."""
    chance = np.random.default_rng(seed)
    hours, scale = size
    energy = steps_of(shape, hours, chance) * scale
    v = np.round(start * scale + np.concatenate(([0.0], np.cumsum(energy))), 3)
    return v, int(chance.integers(3, N - 4)), float(np.diff(v).max())


every_size = pytest.mark.parametrize("size", SIZES)
every_shape = pytest.mark.parametrize("shape", SHAPES)


@every_size
@every_shape
def test_a_register_that_only_grows_counts_what_it_shows(shape: str, size: tuple[float, float]) -> None:
    for start in STARTS:
        for seed in range(3):
            v, _, largest = register(shape, size, start, seed)
            assert counted(size[0], v) == pytest.approx(v[-1] - v[0], rel=1e-9)
            limit = max(largest, 1e-3) / max(size[0], 1.0)
            assert counted(size[0], v, 1.01 * limit) == pytest.approx(v[-1] - v[0], rel=1e-9)


WRONG: dict[str, Callable[[float], float]] = {
    "a lost digit": lambda v: float(np.floor(v / 10)),
    "a 1": lambda _: 1.0,
    "all nines": lambda v: float(10.0 ** (len(str(int(v))) + 1) - 0.1),
    "twice as much": lambda v: 2 * v,
}


@pytest.mark.parametrize("fault", WRONG)
@every_size
@every_shape
def test_one_wrong_reading_counts_nothing(shape: str, size: tuple[float, float], fault: str) -> None:
    """But for monthly readings of a register hardly larger than a month: an error cannot be found then."""
    for start in STARTS[1:] if size[0] > 24 else STARTS:
        for seed in range(3):
            v, at, _ = register(shape, size, start, seed)
            wrong = v.copy()
            wrong[at] = WRONG[fault](v[at])
            assert counted(size[0], wrong) == pytest.approx(v[-1] - v[0], rel=1e-6), (start, seed, at)


@every_size
@every_shape
def test_jitter_is_not_counted_again_on_the_way_up(shape: str, size: tuple[float, float]) -> None:
    for seed in range(3):
        v, _, largest = register(shape, size, 5000.0, seed)
        jitter = v.copy()
        jitter[1:-1:2] -= np.minimum(0.3 * largest, 0.002 * v[1:-1:2])
        assert counted(size[0], jitter) == pytest.approx(v[-1] - v[0], abs=0.31 * largest + 1e-6)


@every_size
@every_shape
def test_a_reset_and_a_change_to_a_much_higher_register_lose_one_step_at_most(
    shape: str, size: tuple[float, float]
) -> None:
    hours, scale = size
    for seed in range(3):
        v, at, largest = register(shape, size, 5000.0, seed)
        true, rest = v[-1] - v[0], largest * 1.01 + 1e-6
        reset, higher = v.copy(), v.copy()
        reset[at:] -= v[at - 1]
        higher[at:] += 500_000.0 * scale * max(hours, 1.0)
        assert counted(hours, reset) == pytest.approx(true, abs=rest)
        assert counted(hours, higher) == pytest.approx(true, abs=rest)
        if largest:
            limit = 1.01 * largest / max(hours, 1.0)
            higher[at:] -= 500_000.0 * scale * max(hours, 1.0)
            higher[at:] += 3 * largest  # which is possible for any register, not for this connection
            assert counted(hours, higher, limit) == pytest.approx(true, abs=rest)


def hourly(*values: float) -> tuple[float, int]:
    """The energy that a register of these hourly readings counted, and how often a meter change was found."""
    n = len(values)
    found = steps(Register(np.arange(n) * HOUR, np.array(values, dtype=float), np.full(n, np.nan), np.nan, np.nan))
    return float(found.energy.sum()), int(found.changed.sum())


def test_a_small_fall_that_is_climbed_back_counts_once() -> None:
    """309.9 - 309.5 is less than a tenth: noise. The register counted 10.1 from 300 to 310.1, not 10.5."""
    energy, changes = hourly(300, 305, 309.8, 309.9, 309.5, 309.6, 309.7, 309.8, 310.0, 310.1)
    assert energy == pytest.approx(10.1)
    assert changes == 0


def test_a_small_fall_that_stays_counts_nothing_and_is_no_other_meter() -> None:
    energy, changes = hourly(997, 998, 999, 1000, 950, *range(951, 966))
    assert energy == pytest.approx(3 + 15)
    assert changes == 0
