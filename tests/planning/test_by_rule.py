"""Plans without sessions: factors of another site, in order and with their source."""

from __future__ import annotations

import numpy as np
import pytest

from planning.by_rule import factors, plan_by_rule
from planning.charging.connection import Connection
from planning.charging.vehicles import Vehicles
from telemetry.errors import UsageError


@pytest.mark.parametrize(("kw", "factor"), [(3.7, 0.268), (7.2, 0.195), (11.0, 0.183)])
def test_the_factor_of_all_users_is_the_measured_one(kw: float, factor: float) -> None:
    assert factors(78, kw).p50 == pytest.approx(factor)
    assert factors(1, kw).p95 == 1.0


@pytest.mark.parametrize("kw", [3.7, 7.2, 11.0, 22.0])
def test_more_points_have_a_smaller_factor_and_a_larger_peak(kw: float) -> None:
    found = [factors(n, kw).p95 for n in range(1, 200)]
    assert found == sorted(found, reverse=True)
    peaks = [n * f for n, f in enumerate(found, 1)]
    assert peaks[9] < peaks[39] < peaks[99] < peaks[198]


def test_the_plan_by_hand() -> None:
    found = plan_by_rule(10, 11.0, Connection(63), np.array([5.0, np.nan, 9.0]), Vehicles(13_000, 20, 0.9))
    assert found.p95_kw == pytest.approx(9.0 + 10 * 11 * 0.50)
    assert found.energy_day_kwh == pytest.approx(10 * 2600 / 365 * 0.9)
    assert not found.fits
    assert found.first_over is not None
    limit = Connection(63).kw
    assert 9.0 + found.first_over * 11 * factors(found.first_over, 11).p95 > limit
    assert 9.0 + (found.first_over - 1) * 11 * factors(found.first_over - 1, 11).p95 <= limit
    assert any("another site" in note for note in found.notes)
    assert any("33.3 % of the building's intervals are missing" in note for note in found.notes)


def test_a_building_over_its_connection_is_refused() -> None:
    with pytest.raises(UsageError, match="The building alone reaches"):
        plan_by_rule(1, 11.0, Connection(25), np.array([50.0]), Vehicles())
