"""Charging against numbers computed by others from the same sessions, and against plain loops."""

from __future__ import annotations

from statistics import median

import numpy as np
import pytest

from planning.charging import draws
from planning.charging.coincidence import PRIVATE_POINTS
from planning.charging.managed import schedule, smallest_limit
from planning.charging.profiles import profiles, total
from planning.charging.vehicles import Vehicles
from tests.planning import independent
from tests.planning.recorded_data import grid, regulars, session_rows, sessions

WINTER = ("2019-08-01", "2020-02-01")  # 78 users
AUTUMN = ("2019-08-01", "2020-01-01")  # 70 users


def test_the_trondheim_sessions_are_all_there() -> None:
    s = sessions()
    plugged = [(r.end - r.start) / 3_600_000 for r in session_rows() if r.end is not None]
    assert (len(s), len(s.users), s.without_end) == (6878, 97, 34)
    assert s.kwh.sum() == pytest.approx(87_493.3, abs=0.05)
    assert s.kwh.mean() == pytest.approx(12.721, abs=0.0005)
    assert np.median(s.kwh) == pytest.approx(9.05, abs=0.005)
    assert sum(plugged) / len(plugged) == pytest.approx(11.505, abs=0.001)
    assert median(plugged) == pytest.approx(10.017, abs=0.001)


@pytest.mark.parametrize(("kw", "factor", "peak"), [(3.6, 0.275, 77.2), (7.2, 0.195, 109.3), (11.0, 0.183, 156.9)])
def test_the_demand_factor_of_78_users(kw: float, factor: float, peak: float) -> None:
    over = grid(*WINTER)
    users = regulars(over)
    found = total(users, kw, over).max()
    assert len(users.users) == 78
    assert found == pytest.approx(peak, abs=0.1)
    assert found / (78 * kw) == pytest.approx(factor, abs=0.0006)
    names = independent.regular_users(session_rows(), over.start, over.end, 100)
    curves = independent.user_curves(session_rows(), kw, over.start, over.end, over.step)
    assert found == pytest.approx(independent.peak(curves[name] for name in names), rel=1e-9)


def test_it_agrees_with_what_the_german_energy_agency_assumes() -> None:
    over = grid(*WINTER)
    assert total(regulars(over), 7.2, over).max() / (78 * 7.2) == pytest.approx(PRIVATE_POINTS, abs=0.01)


# (n, median from, to, 95 % from, to): the ranges in which a correct run of 300 draws falls.
RANGES = [
    (5, 0.60, 0.60, 0.80, 0.80),
    (10, 0.40, 0.436, 0.497, 0.603),
    (20, 0.298, 0.326, 0.372, 0.419),
    (40, 0.235, 0.248, 0.274, 0.299),
]


@pytest.mark.parametrize(("n", "low", "high", "low95", "high95"), RANGES)
def test_the_demand_factor_of_random_users(n: int, low: float, high: float, low95: float, high95: float) -> None:
    over = grid(*WINTER)
    own = profiles(regulars(over), 7.2, over)
    chosen = draws.orders(len(own), 40, 300, 1, over)
    found = draws.demand_factors(draws.peaks(np.zeros(over.slots), own, chosen, [n], over), [n], 7.2)
    assert low - 1e-9 <= np.median(found) <= high + 1e-9
    assert low95 - 1e-9 <= np.percentile(found, 95) <= high95 + 1e-9


@pytest.mark.parametrize(
    ("minutes", "factor"), [(15, 0.1917), (30, 0.1875), (60, 0.1805), (120, 0.1687), (1440, 0.2766)]
)
def test_the_coincidence_factor_moves_either_way_with_the_interval(minutes: int, factor: float) -> None:
    over = grid(*WINTER, minutes)
    own = profiles(regulars(over), 7.2, over)
    together = sum(p.dense(over.slots) for p in own)
    assert np.max(together) / sum(p.highest for p in own) == pytest.approx(factor, abs=0.0001)


def test_the_energy_of_70_users() -> None:
    over = grid(*AUTUMN)
    users = regulars(over)
    assert len(users.users) == 70
    assert users.kwh.sum() == pytest.approx(51_179.2, abs=0.05)
    assert users.kwh.sum() / 70 / over.days == pytest.approx(4.779, abs=0.0005)


@pytest.mark.parametrize(
    ("limit", "share"), [(20, 5.17), (25, 1.73), (30, 0.53), (35, 0.16), (40, 0.06), (50, 0.02), (60, 0.0)]
)
def test_the_shortfall_of_a_managed_garage(limit: float, share: float) -> None:
    over = grid(*AUTUMN)
    users = regulars(over)
    found = schedule(users, 7.2, limit, over)
    assert 100 * found.shortfall == pytest.approx(share, abs=0.06)
    names = set(users.users)
    plain = [r for r in session_rows() if r.user in names]
    again = independent.shortfall(plain, 7.2, limit, over.start, over.end, over.step)
    assert found.shortfall == pytest.approx(again, abs=1e-9)
    assert found.kw.max() <= limit + 1e-9


def test_30_kw_are_enough_for_70_users_who_would_draw_three_times_as_much() -> None:
    over = grid(*AUTUMN)
    users = regulars(over)
    peak = float(total(users, 7.2, over).max())
    limit, kept = smallest_limit(users, 7.2, over, 0.0053, peak)
    assert peak > 3 * limit
    assert limit == pytest.approx(30, abs=0.5)
    assert kept.shortfall <= 0.0053


@pytest.mark.parametrize(("cars", "twh"), [(1e6, 2.6), (5e6, 13.0)])
def test_the_energy_of_a_countrys_cars(cars: float, twh: float) -> None:
    assert cars * Vehicles(13_000, 20).year_kwh / 1e9 == pytest.approx(twh, abs=1e-9)


def test_five_million_cars_are_under_a_fifth_of_austrias_electricity() -> None:
    assert 5e6 * Vehicles(13_000, 20).year_kwh / 1e9 / 70 == pytest.approx(0.186, abs=0.0005)


def test_a_public_point_of_0_71_kw_mean_power() -> None:
    assert 0.71 * 8760 / 1000 == pytest.approx(6.22, abs=0.005)
