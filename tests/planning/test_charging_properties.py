"""Laws of draws, of managed charging and of the plan."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planning.charging import draws
from planning.charging.answer import PlanInput
from planning.charging.calculator import Site, plan
from planning.charging.connection import Connection
from planning.charging.managed import schedule
from planning.charging.profiles import profiles, total
from planning.charging.sessions import Sessions
from planning.grid import Grid
from telemetry.errors import UsageError
from telemetry.windows import DAY, HOUR, MINUTE

START = 1_546_300_800_000
GRID = Grid.over(START, START + 28 * DAY)

one_session = st.tuples(
    st.integers(0, 27 * 24 * 60), st.one_of(st.none(), st.integers(0, 2000)), st.floats(0.1, 60), st.integers(0, 5)
)
some_sessions = st.lists(one_session, min_size=1, max_size=40)


def made(rows: list[tuple[int, int | None, float, int]]) -> Sessions:
    start = [START + a * MINUTE for a, *_ in rows]
    end = [None if b is None else s + b * MINUTE for s, (_, b, _, _) in zip(start, rows, strict=True)]
    return Sessions.of(start, end, [kwh for _, _, kwh, _ in rows], [f"user-{u}" for *_, u in rows])


def regular(users: int) -> Sessions:
    """Every user every other evening, at times of their own."""
    rng = np.random.default_rng(7)
    rows: list[tuple[int, int | None, float, int]] = [
        (day * 1440 + 1000 + int(rng.integers(0, 240)), 700, float(rng.uniform(5, 20)), u)
        for u in range(users)
        for day in range(u % 2, 27, 2)
    ]
    return made(rows)


def asked(points: int = 6, amps: float = 63, seed: int = 3) -> PlanInput:
    return PlanInput(points=points, kw=11.0, connection=Connection(amps), draws=50, seed=seed, day=date(2026, 1, 1))


@given(some_sessions, st.sampled_from([3.7, 11.0, 22.0]))
@settings(max_examples=60, deadline=None)
def test_profiles_carry_the_energy_of_the_sessions(rows: list[tuple[int, int | None, float, int]], kw: float) -> None:
    s = made(rows)
    whole = Grid.over(START, START + 60 * DAY)  # long enough for every session
    curves = profiles(s, kw, whole)
    assert sum(float(p.kw.sum()) for p in curves) * whole.hours == pytest.approx(float(s.kwh.sum()), rel=1e-9)
    assert total(s, kw, whole) == pytest.approx(sum(p.dense(whole.slots) for p in curves))


@given(some_sessions, st.integers(0, 1000))
@settings(max_examples=40, deadline=None)
def test_more_vehicles_never_lower_a_peak(rows: list[tuple[int, int | None, float, int]], seed: int) -> None:
    own = profiles(made(rows), 11.0, GRID)
    chosen = draws.orders(len(own), 2 * len(own), 10, seed, GRID)
    base = np.abs(np.sin(np.arange(GRID.slots))) * 5
    found = draws.peaks(base, own, chosen, range(2 * len(own) + 1), GRID)
    assert (np.diff(found, axis=1) >= 0).all()
    assert (np.diff(np.median(found, axis=0)) >= 0).all()


@given(some_sessions)
@settings(max_examples=40, deadline=None)
def test_a_limit_over_the_unmanaged_peak_leaves_nothing(rows: list[tuple[int, int | None, float, int]]) -> None:
    s = made(rows)
    # Interval by interval as many cars may be there as plug in, so the peak of momentary power is the bound.
    found = schedule(s, 11.0, 11.0 * len(s), GRID)
    assert found.unmet_kwh == pytest.approx(0.0, abs=1e-6)


def test_a_limit_at_the_unmanaged_peak_leaves_nothing_of_recorded_like_sessions() -> None:
    s = regular(12)
    peak = float(total(s, 11.0, GRID).max())
    assert schedule(s, 11.0, peak, GRID).unmet_kwh == pytest.approx(0.0, abs=1e-6)


@given(some_sessions, st.floats(1, 20), st.floats(0, 20))
@settings(max_examples=60, deadline=None)
def test_energy_is_served_or_counted_as_left(
    rows: list[tuple[int, int | None, float, int]], limit: float, more: float
) -> None:
    s = made(rows).within(GRID)
    longer = Grid.over(START, START + 60 * DAY)
    found = schedule(s, 11.0, limit, longer)
    served = float(found.kw.sum()) * longer.hours
    assert served + found.unmet_kwh == pytest.approx(float(s.kwh.sum()), rel=1e-6, abs=1e-4)
    assert found.kw.max() <= limit + 1e-9


def test_the_shortfall_falls_with_the_limit() -> None:
    s = regular(12)
    left = [schedule(s, 11.0, limit, GRID).unmet_kwh for limit in (1, 2, 4, 6, 8, 12, 20, 40)]
    assert left == sorted(left, reverse=True)
    assert left[0] > left[-1]


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not() -> None:
    site = Site(GRID, regular(12), least_kwh=1)
    first, second, other = (msgspec.json.encode(plan(asked(seed=seed), site)) for seed in (3, 3, 4))
    assert first == second
    assert first != other


def test_points_beyond_the_users_are_the_same_users_moved_by_weeks() -> None:
    found = plan(asked(points=30), Site(GRID, regular(12), least_kwh=1))
    assert any("users take part again" in note for note in found.notes)
    assert found.demand_factor.p50 < plan(asked(points=6), Site(GRID, regular(12), least_kwh=1)).demand_factor.p50


def test_what_the_peak_is_made_of_adds_up() -> None:
    base = np.full(GRID.slots, 7.0)
    found = plan(asked(), Site(GRID, regular(12), base, least_kwh=1))
    assert sum(c.kw for c in found.contributions[:4]) == pytest.approx(found.unmanaged.p95)
    assert found.headroom_kw == pytest.approx(found.connection_kw - found.unmanaged.p95)


def test_the_cheapest_solution_that_fits_is_recommended() -> None:
    site = Site(GRID, regular(12), least_kwh=1)
    names = {amps: plan(asked(12, amps), site).recommended for amps in (10, 40, 63, 250)}
    assert names[250] == "single phase"
    assert names[10] in ("managed", "new connection")
    assert [o.name for o in plan(asked(), site).options] == ["single phase", "unmanaged", "managed", "new connection"]


def test_everybody_at_the_cheap_hour_is_worse_than_as_they_come() -> None:
    cheap = START + DAY * np.arange(29) + 22 * HOUR
    found = plan(asked(12), Site(GRID, regular(12), None, cheap, 1))
    assert found.tariff is not None
    assert found.tariff.p50 > found.unmanaged.p50


def test_the_first_number_that_does_not_fit_is_the_first() -> None:
    site = Site(GRID, regular(12), least_kwh=1)
    first = plan(asked(12, 40), site).first_over
    assert first is not None
    limit = Connection(40).kw
    assert plan(asked(first, 40), site).unmanaged.p95 > limit
    assert plan(asked(first - 1, 40), site).unmanaged.p95 <= limit


@pytest.mark.parametrize(
    ("site", "words"),
    [
        (Site(GRID, regular(12), np.full(GRID.slots, 50.0), least_kwh=1), "The building alone reaches 50.0 kW"),
        (Site(GRID, regular(12).take(np.array([], dtype=np.int64)), least_kwh=1), "No charging session starts"),
        (Site(GRID, regular(12), np.full(GRID.slots, np.nan), least_kwh=1), "100 % of the building's intervals"),
        (Site(GRID, regular(12), least_kwh=1e6), "No user charged more than"),
        (Site(GRID, replace(regular(12), user=np.full(12 * 14 - 6, -1)), least_kwh=1), "name no users"),
    ],
)
def test_what_cannot_be_planned_is_said_in_words(site: Site, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        plan(asked(), site)


def test_gaps_and_sessions_without_end_are_noted() -> None:
    s = regular(12)
    base = np.full(GRID.slots, 3.0)
    base[:100] = np.nan
    open_ended = Sessions(s.start, np.where(np.arange(len(s)) < 5, -1, s.end), s.kwh, s.user, s.users)
    notes = " ".join(plan(asked(), Site(GRID, open_ended, base, least_kwh=1)).notes)
    assert "3.7 % of the building's intervals are missing" in notes
    assert "5 sessions without a plug-out" in notes
    assert "fewer than 300: seasons are missing" in notes
