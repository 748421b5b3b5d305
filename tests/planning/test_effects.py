"""Measures on invented truths: a known effect is inside its interval, no effect is not called one."""

from __future__ import annotations

import os
from datetime import date

import numpy as np
import pytest

from planning.effects import Hours, change_point, quadruplets, weather_adjusted
from planning.savings import Days, cv_rmse, nmbe, savings
from telemetry.errors import UsageError
from telemetry.series import FloatArray
from telemetry.windows import HOUR

# 200 seeds with CITYVITALS_LONG=1; the quick suite takes fewer and accepts what chance then allows.
LONG = os.environ.get("CITYVITALS_LONG") == "1"
SEEDS = 200 if LONG else 20
BEFORE, AFTER = 364 * 24, 26 * 168
START = 1_514_764_800_000
EFFECT = -2.0


def correlated(rng: np.random.Generator, n: int, size: float, memory: float) -> FloatArray:
    """Autocorrelated noise: hours of air quality are far from independent."""
    kernel = memory ** np.arange(200)
    return np.convolve(rng.normal(0, size, n + 200), kernel)[200 : n + 200]


def air(seed: int, effect: float) -> tuple[Hours, FloatArray, int, int]:
    """A street and a reference with common weather; the street changes after a year. Hours are missing."""
    rng, n = np.random.default_rng(seed), BEFORE + AFTER
    t = START + HOUR * np.arange(n, dtype=np.int64)
    common = correlated(rng, n, 3, 0.95)
    warmth = 10 + 8 * np.sin(2 * np.pi * np.arange(n) / 8760) + correlated(rng, n, 0.5, 0.97)
    site = 40 + common + correlated(rng, n, 2, 0.8) - 0.3 * (warmth - 10)
    reference = 25 + 0.9 * common + correlated(rng, n, 2, 0.8) - 0.1 * (warmth - 10)
    site[BEFORE:] += effect
    site[rng.random(n) < 0.1] = np.nan
    return Hours(t, site, reference), warmth[:, None], int(t[BEFORE]), int(t[-1]) + HOUR


def covers(hits: int) -> bool:
    return 0.90 * SEEDS <= hits <= 0.99 * SEEDS if LONG else hits >= 0.85 * SEEDS


def rarely(hits: int) -> bool:
    return 0.02 * SEEDS <= hits <= 0.10 * SEEDS if LONG else hits <= 0.15 * SEEDS


def test_quadruplets_over_many_seeds() -> None:
    covered = called = 0
    for seed in range(SEEDS):
        hours, _, begin, end = air(seed, EFFECT)
        found = quadruplets(hours, begin, end, 1, "ug/m3").interval
        covered += found.low <= EFFECT <= found.high
        hours, _, begin, end = air(seed + SEEDS, 0.0)
        called += quadruplets(hours, begin, end, 1, "ug/m3").interval.is_effect
    print(f"quadruplets: known effect inside in {covered / SEEDS:.1%}, no effect called one in {called / SEEDS:.1%}")
    assert covers(covered)
    assert rarely(called)


def test_weather_adjustment_over_many_seeds() -> None:
    covered = called = 0
    for seed in range(SEEDS):
        for effect in (EFFECT, 0.0):
            hours, weather, begin, _ = air(seed + (0 if effect else SEEDS), effect)
            found = weather_adjusted(hours, weather, begin, "ug/m3").interval
            covered += effect != 0 and found.low <= effect <= found.high
            called += effect == 0 and found.is_effect
    print(f"weather adjusted: inside in {covered / SEEDS:.1%}, no effect called one in {called / SEEDS:.1%}")
    assert covers(covered)
    assert rarely(called)


def building(seed: int, saved: float) -> tuple[Days, Days, float]:
    """Two buildings with the same weather; one saves after a year. And what it truly saves, kWh."""
    rng = np.random.default_rng(seed)
    day = np.arange(date(2024, 1, 1).toordinal(), date(2024, 1, 1).toordinal() + 730)
    warmth = 10 + 9 * np.sin(2 * np.pi * (np.arange(730) - 110) / 365) + rng.normal(0, 2.5, 730)
    weekend = (day % 7 == 6) | (day % 7 == 0)

    def kwh(slope: float) -> FloatArray:
        mean: FloatArray = 200 + slope * np.maximum(15 - warmth, 0) - 30 * weekend
        return mean + correlated(rng, 730, 6, 0.4)

    own = kwh(12)
    truth = float(own[365:].sum() * saved)
    own[365:] *= 1 - saved
    return Days(day, own, warmth), Days(day, kwh(9), warmth), truth


def test_metered_savings_over_many_seeds() -> None:
    covered = called = 0
    for seed in range(SEEDS):
        for saved in (0.06, 0.0):
            own, other, truth = building(seed + (0 if saved else SEEDS), saved)
            first = int(own.day[0])
            spans = ((first, first + 364), (first + 365, first + 729))
            found = savings(own, other, *spans, draws=100 if not LONG else 200)
            covered += saved > 0 and found.kwh.low <= truth <= found.kwh.high
            called += saved == 0 and found.kwh.is_effect
            assert found.published
    print(f"metered savings: inside in {covered / SEEDS:.1%}, no saving called one in {called / SEEDS:.1%}")
    assert covers(covered)
    assert rarely(called)


def test_a_change_is_found_in_its_week_and_none_is_not_called_one() -> None:
    called = 0
    for seed in range(SEEDS // 4):
        hours, _, begin, _ = air(seed, -4.0)
        found = change_point(hours, "ug/m3", draws=199)
        assert found.p <= 0.05
        assert abs(found.at - begin) <= 4 * 168 * HOUR
        hours, _, _, _ = air(seed + SEEDS, 0.0)
        called += change_point(hours, "ug/m3", draws=199).p <= 0.05
    assert called <= SEEDS * 0.25 * 0.15 + 1


def test_a_measure_that_changed_nothing_is_said_so() -> None:
    hours, _, begin, end = air(1, 0.0)
    assert quadruplets(hours, begin, end, 1, "ug/m3").sentence.startswith(
        "The effect cannot be distinguished from chance: "
    )
    hours, _, begin, end = air(1, -5.0)
    assert quadruplets(hours, begin, end, 1, "ug/m3").sentence.startswith("The measure lowered the value: -")


def test_a_perfect_model_has_no_error() -> None:
    m = np.array([100.0, 120, 90, 110, 130, 80])
    assert (nmbe(m, m), cv_rmse(m, m)) == (0, 0)


def test_a_constant_error_of_five_percent() -> None:
    m = np.array([100.0, 120, 90, 110, 130, 80])
    assert nmbe(m, 1.05 * m) == pytest.approx(-0.05)
    assert cv_rmse(m, 1.05 * m) == pytest.approx(0.0507, abs=0.00005)
    assert cv_rmse(np.full(6, 100.0), np.full(6, 105.0)) == pytest.approx(0.05)


def test_a_baseline_that_does_not_fit_is_not_published() -> None:
    own, other, _ = building(1, 0.1)
    rng = np.random.default_rng(3)
    noisy = own._replace(kwh=own.kwh * np.repeat(rng.uniform(0.3, 1.7, 25), 30)[:730])
    first = int(own.day[0])
    found = savings(noisy, other, (first, first + 364), (first + 365, first + 729), draws=20)
    assert not found.published
    assert found.sentence.startswith("Not published: the baseline's months have CV(RMSE)")


def test_too_little_data_is_said_in_words() -> None:
    hours, weather, begin, end = air(1, 0.0)
    with pytest.raises(UsageError, match=r"Only \d weeks"):
        quadruplets(hours, begin, begin + 2 * 168 * HOUR, 1, "ug/m3")
    with pytest.raises(UsageError, match="overlap"):
        quadruplets(hours, begin, end, 0, "ug/m3")
    with pytest.raises(UsageError, match="are needed"):
        weather_adjusted(hours, weather, end, "ug/m3")
    own, other, _ = building(1, 0.1)
    first = int(own.day[0])
    with pytest.raises(UsageError, match="100 days before"):
        savings(own, other, (first, first + 99), (first + 365, first + 400))
