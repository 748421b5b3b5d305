"""A whole charging plan on recorded data, and every number of it once more by plain loops, without its code."""

from __future__ import annotations

import random
from datetime import date

import numpy as np
import pytest

from planning.charging import draws
from planning.charging.answer import Plan, PlanInput
from planning.charging.calculator import Site, plan
from planning.charging.connection import Connection
from telemetry.series import FloatArray
from tests.planning import independent
from tests.planning.recorded_data import Row, grid, meters, ms, session_rows, sessions

POINTS, KW, DRAWS, AMPS, LEAST = 20, 7.2, 15, 80.0, 50.0
GRID = grid("2019-09-01", "2019-10-01")
# The same calendar days of 2013, which has the weekdays of 2019.
SHIFT = 313 * 7 * 86_400_000


def building() -> FloatArray:
    """Ten London homes in the quarters of GRID, kW."""
    _, kw, over = meters()
    first = (GRID.start - SHIFT - over.start) // over.step
    halves = np.nansum(kw[:10, first : first + GRID.slots // 2], axis=0)
    return np.repeat(halves, 2)


@pytest.fixture(scope="module")
def made() -> Plan:
    site = Site(GRID, sessions(), building(), least_kwh=LEAST)
    asked = PlanInput(points=POINTS, kw=KW, connection=Connection(AMPS), draws=DRAWS, seed=4, day=date(2026, 1, 1))
    return plan(asked, site)


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return [row for row in session_rows() if row.user and GRID.start <= row.start < GRID.end and row.kwh > 0]


def test_every_number_of_a_plan_is_found_by_plain_loops(made: Plan, rows: list[Row]) -> None:
    base = building().tolist()
    span = (GRID.start, GRID.end)
    names = independent.regular_users(rows, *span, LEAST)
    mine = [row for row in rows if row.user in names]
    days = (GRID.end - GRID.start) / 86_400_000
    assert made.users == len(names)
    day = sum(row.kwh for row in mine) / len(names) / days * POINTS
    assert made.energy_day_kwh == pytest.approx(day, rel=1e-9)
    assert made.energy_year_kwh == pytest.approx(day * 365, rel=1e-9)
    assert made.base_peak_kw == pytest.approx(max(base))
    assert made.connection_kw == pytest.approx(AMPS * 400 * 3**0.5 / 1000 * 0.95)

    curves = independent.user_curves(mine, KW, *span, GRID.step)
    chosen = draws.orders(len(names), 2 * POINTS, DRAWS, 4, GRID).user.tolist()  # who is in which draw
    peaks: list[list[float]] = []
    alone, factors = [], []
    for order in chosen:
        total, site, own = list(base), [0.0] * GRID.slots, 0.0
        peaks.append([])
        for n, user in enumerate(order, 1):
            for number, kw in curves[names[user]].items():
                total[number] += kw
                site[number] += kw
            peaks[-1].append(max(total))
            own += max(curves[names[user]].values())
            if n == POINTS:
                alone.append(max(site))
                factors.append(max(site) / own)
    with_base = [p[POINTS - 1] for p in peaks]
    for name, values in (
        ("unmanaged", with_base), ("coincidence", factors), ("demand_factor", [a / (POINTS * KW) for a in alone])
    ):  # fmt: skip
        wanted = [independent.percentile(values, share) for share in (0.05, 0.5, 0.95)]
        assert list(getattr(made, name)) == pytest.approx(wanted, rel=1e-9), name
    high = [independent.percentile([p[n] for p in peaks], 0.95) for n in range(2 * POINTS)]
    over = [n + 1 for n, kw in enumerate(high) if kw > made.connection_kw]
    assert made.first_over == (over[0] if over else None)
    assert made.headroom_kw == pytest.approx(made.connection_kw - independent.percentile(with_base, 0.95))

    hard = sorted(range(DRAWS), key=lambda i: alone[i])[round(0.95 * (DRAWS - 1))]
    users = {names[user] for user in chosen[hard][:POINTS]}
    assert_managed(made, [row for row in mine if row.user in users], base, alone[hard])
    print(f"{POINTS} points: {made.unmanaged}, first over {made.first_over}, managed {made.managed_kw:.1f} kW")


def assert_managed(made: Plan, cars: list[Row], base: list[float], unmanaged_kw: float) -> None:
    """The managed solution of these cars by plain loops; `unmanaged_kw`: their peak without management."""
    span = (GRID.start, GRID.end)
    left = [made.connection_kw - kw for kw in base]
    managed = next(o for o in made.options if o.name == "managed")
    assert managed.shortfall == pytest.approx(independent.shortfall(cars, KW, left, *span, GRID.step), abs=1e-6)
    served = independent.shortfall(cars, KW, made.managed_kw, *span, GRID.step)
    assert made.managed_shortfall == pytest.approx(managed.shortfall, abs=1e-6)
    assert served <= 0.005 + 1e-6
    assert independent.shortfall(cars, KW, made.managed_kw - 2 * unmanaged_kw / 100, *span, GRID.step) > 0.005
    assert made.floor_14a_kw == pytest.approx(4.2 + 19 * 0.45 * 4.2)


def test_draws_of_another_generator_agree(made: Plan, rows: list[Row]) -> None:
    """No draw of ours: 50 draws of Python's own generator lie in the same range."""
    span = (GRID.start, GRID.end)
    names = independent.regular_users(rows, *span, LEAST)
    curves = independent.user_curves(rows, KW, *span, GRID.step)
    base = dict(enumerate(building().tolist()))
    chance = random.Random(5)
    found = [independent.peak([base, *(curves[u] for u in chance.sample(names, POINTS))]) for _ in range(50)]
    assert made.unmanaged.p50 == pytest.approx(independent.percentile(found, 0.5), rel=0.08)
    assert made.unmanaged.p95 == pytest.approx(independent.percentile(found, 0.95), rel=0.1)


def test_the_periods_have_the_same_weekdays() -> None:
    assert (ms("2019-09-01T00:00:00Z") - SHIFT) // 86_400_000 % 7 == ms("2019-09-01T00:00:00Z") // 86_400_000 % 7
