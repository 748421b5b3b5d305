"""Coincidence, duration and headroom of the 50 London homes of 2013."""

from __future__ import annotations

import math

import numpy as np
import pytest

from planning.charging import draws
from planning.charging.connection import loading
from planning.charging.profiles import of_curves
from planning.curves import coarser, exceeded, load_figures, summed
from tests.planning import independent
from tests.planning.recorded_data import meters


def test_peak_coincidence_and_load_factor_of_all() -> None:
    _, kw, over = meters()
    found = load_figures(kw, over)
    assert found.peak_kw == pytest.approx(52.256, abs=0.0005)
    assert found.peak_kw / 50 == pytest.approx(1.045, abs=0.0005)
    assert found.coincidence == pytest.approx(0.225796, abs=5e-7)
    assert found.load_factor == pytest.approx(0.395, abs=0.0005)
    assert found.peak_per_annual_energy == pytest.approx(2.888e-4, abs=5e-8)
    assert (found.meters, found.interval_min) == (50, 30)
    assert 2.1372e-4 / found.peak_per_annual_energy - 1 == pytest.approx(-0.26, abs=0.005)


@pytest.mark.parametrize(("factor", "expected"), [(1, 0.2258), (2, 0.2681), (4, 0.3300), (48, 0.6269)])
def test_the_coincidence_factor_depends_on_the_interval(factor: int, expected: float) -> None:
    _, kw, over = meters()
    assert load_figures(*coarser(kw, over, factor)).coincidence == pytest.approx(expected, abs=0.00005)


def test_the_peak_of_hourly_means() -> None:
    _, kw, over = meters()
    assert load_figures(*coarser(kw, over, 2)).peak_kw == pytest.approx(50.893, abs=0.0005)


@pytest.mark.parametrize(("hours", "kw"), [(10, 47.12), (100, 41.12)])
def test_the_duration_curve(hours: float, kw: float) -> None:
    _, curves, over = meters()
    together = summed(curves)
    assert exceeded(together, hours, over) == pytest.approx(kw, abs=0.005)
    assert exceeded(together, hours, over) == pytest.approx(sorted(together.tolist(), reverse=True)[int(hours * 2) - 1])


def test_a_transformer_of_50_kva() -> None:
    _, curves, over = meters()
    found = loading(summed(curves), 50.0, over)
    assert found.hours_over == pytest.approx(7.0)
    assert found.headroom_kw == pytest.approx(-4.76, abs=0.005)


# The median and the 5 to 95 % are one run of 300 draws; the standard error of such a median is at most 0.012 here.
@pytest.mark.parametrize(
    ("n", "median", "low", "high"),
    [
        (2, 0.712, 0.57, 0.89),
        (3, 0.564, 0.48, 0.71),
        (5, 0.463, 0.38, 0.58),
        (10, 0.346, 0.29, 0.43),
        (20, 0.284, 0.24, 0.33),
        (30, 0.252, 0.22, 0.28),
        (40, 0.234, 0.22, 0.25),
    ],
)
def test_the_coincidence_factor_of_random_homes(n: int, median: float, low: float, high: float) -> None:
    _, curves, over = meters()
    own = of_curves(curves)
    chosen = draws.orders(50, 40, 300, 1, over)
    found = draws.coincidence_factors(draws.peaks(np.zeros(over.slots), own, chosen, [n], over), own, chosen, [n])[:, 0]
    assert np.median(found) == pytest.approx(median, abs=0.036 / n**0.5)
    assert independent.percentile(found.tolist(), 0.05) == pytest.approx(low, abs=0.03)
    assert independent.percentile(found.tolist(), 0.95) == pytest.approx(high, abs=0.04)
    one = chosen.user[0].tolist()[:n]
    plain = max(sum(x for x in column if not math.isnan(x)) for column in curves[one].T.tolist())
    assert found[0] == pytest.approx(plain / sum(np.nanmax(curves[i]) for i in one))
