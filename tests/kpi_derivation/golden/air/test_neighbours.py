"""How soon a faulty recorded station is flagged against its neighbours, and how often one without a fault."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpi_derivation.engine.days.expectations import LEAST_USUAL, STRIDE, USUAL, Group
from kpi_derivation.engine.days.neighbours import DAY_HOURS, LEAD, judge, levels, of_the_others
from telemetry.series import FloatArray
from tests.kpi_derivation.golden.aberdeen import world

YEAR = date(2018, 1, 1).toordinal()
WITHIN = 14  # days in which a fault must be flagged
FIRST, EVERY = 75, 9  # first day of a fault, and days from one to the next


class Recorded(NamedTuple):
    names: list[str]
    sums: FloatArray
    hours: FloatArray

    def flags(self) -> FloatArray:
        level = levels(self.sums, self.hours)
        return judge(level, of_the_others(level), np.zeros(level.shape), 0)

    def flags_after(self, before: FloatArray, station: int, day: int, factor: float) -> FloatArray:
        """Flags of the WITHIN days from `day` on, on which the station is faulty; `before`: the flags until then."""
        level = levels(self.sums, self.hours)[:, : day + WITHIN]
        level[station, day:] += np.log(factor)
        start = day - day % STRIDE
        known = np.hstack((before[:, :start], np.zeros((len(level), day + WITHIN - start))))
        return judge(level, of_the_others(level), known, start)[:, day:]


def recorded(quantity: str) -> Recorded:
    """Sums and hours of the days of Aberdeen's stations."""
    world().values("2018-01-01")
    names = [d.id for d in world().city.device if quantity in d.quantities]
    columns = world().engine._days.daily(names, quantity, YEAR, YEAR + 364)
    return Recorded(names, columns["hour_sum"], columns["hours"])


def delays(r: Recorded, before: FloatArray, station: int, factor: float) -> list[int]:
    """Days until a fault is flagged, for each day of the year it may begin on; 999 where it is not flagged in time.

    Only faults of which anything can be said: the station has 10 of the days and 40 of the 60 before it, and so have
    two others.
    """
    there = r.hours >= DAY_HOURS
    there &= (there.sum(axis=0) - there) >= 2
    found = []
    for day in range(FIRST, 365 - WITHIN, EVERY):
        if there[station, day : day + WITHIN].sum() < 10 or there[station, day - USUAL : day].sum() < LEAST_USUAL:
            continue
        at = np.flatnonzero(r.flags_after(before, station, day, factor)[station])
        found.append(int(at[0]) if len(at) else 999)
    return found


LIMITS = [("no2", 0.92, 0.04), ("pm10", 0.96, 0.01), ("pm2_5", 0.92, 0.01)]


@pytest.mark.parametrize(("quantity", "share", "alarms"), LIMITS)
def test_a_recorded_station_that_doubles_or_halves_is_flagged_within_two_weeks(
    quantity: str, share: float, alarms: float
) -> None:
    """Every station, from every ninth day of the year on. Missed is where the weather undid the fault just then, or
    where the others had come back too lately to say what is usual."""
    r = recorded(quantity)
    unaltered = r.flags()
    print(f"\n{quantity:22} doubled: found, median days   halved: found, median days   days flagged unaltered")
    counts = np.zeros(4)
    for i, name in enumerate(r.names):
        doubled, halved = delays(r, unaltered, i, 2.0), delays(r, unaltered, i, 0.5)
        in_time = [sum(d < WITHIN for d in found) for found in (doubled, halved)]
        flagged, days = int((unaltered[i] > 0).sum()), int((r.hours[i] >= DAY_HOURS).sum())
        two = [f"{n:12}/{len(d):<3} {np.median(d):6.1f}" for n, d in zip(in_time, (doubled, halved), strict=True)]
        print(f"  {name:20} {two[0]}   {two[1]}   {flagged:8} of {days}")
        counts += [sum(in_time), len(doubled) + len(halved), flagged, days]
    print(f"  {'all':20} {100 * counts[0] / counts[1]:.1f} % of {counts[1]:g} found, "
          f"{100 * counts[2] / counts[3]:.1f} % of the days flagged without a fault")  # fmt: skip
    assert counts[0] / counts[1] >= share
    assert counts[2] / counts[3] <= alarms


def test_a_fault_of_one_station_is_not_laid_on_the_others() -> None:
    """Of faults of NO2 on which nobody was flagged before, few let another station be flagged."""
    r, others = recorded("no2"), list[bool]()
    unaltered = r.flags()
    for i in range(len(r.names)):
        for day in range(FIRST, 365 - WITHIN, EVERY):
            flagged = (r.flags_after(unaltered, i, day, 2.0) > 0) & ~(unaltered[:, day : day + WITHIN] > 0)
            others.append(bool(np.delete(flagged, i, axis=0).any()))
    assert np.mean(others) <= 0.15


DAYS = 150


def network(seed: int, stations: int) -> FloatArray:
    """Levels of stations that follow a common one, each by its own slope, and a little by its own side's wind."""
    chance = np.random.default_rng(seed)
    common, wind = chance.normal(3.0, 0.4, DAYS), chance.normal(0.0, 0.3, DAYS)
    slopes, sides = chance.uniform(0.7, 1.3, stations), chance.uniform(-1.0, 1.0, stations)
    noise = chance.normal(0.0, 0.05, (stations, DAYS))
    return np.asarray(1.0 + slopes[:, None] * common + sides[:, None] * wind + noise)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10**6), st.integers(5, 12), st.integers(90, 130), st.sampled_from([2.0, 0.5]))
def test_a_fault_is_flagged_in_any_network_and_order_of_stations_changes_nothing(
    seed: int, stations: int, day: int, factor: float
) -> None:
    level = network(seed, stations)
    level[0, day:] += np.log(factor)
    flags = judge(level, of_the_others(level), np.zeros(level.shape), 0)
    if stations <= 8:  # larger groups know the median only, not where the wind comes from
        assert flags[0, day : day + WITHIN].any()
    order = np.random.default_rng(seed).permutation(stations)
    mixed = judge(level[order], of_the_others(level[order]), np.zeros(level.shape), 0)
    assert (mixed == flags[order]).all()


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10**6), st.integers(0, DAYS // STRIDE - 1), st.floats(0.2, 5.0))
def test_judging_from_any_day_on_and_in_any_unit_gives_the_same_flags(seed: int, since: int, unit: float) -> None:
    level = network(seed, 6)
    level[2, 100:] += 0.9
    flags = judge(level, of_the_others(level), np.zeros(level.shape), 0)
    start = since * STRIDE
    known = np.hstack((flags[:, :start], np.zeros((6, DAYS - start))))
    assert (judge(level, of_the_others(level), known, start) == flags).all()
    scaled = level + np.log(unit)
    assert (judge(scaled, of_the_others(scaled), np.zeros(level.shape), 0) == flags).all()


@pytest.mark.parametrize("fault", [60, 500])
def test_a_long_fault_is_judged_alike_whether_all_of_the_past_is_at_hand_or_only_what_counts(fault: int) -> None:
    """A restart judges everything at once; live, a day is judged with the LEAD days before it."""
    chance = np.random.default_rng(fault)
    level = 2.3 + 0.4 * chance.standard_normal(990) + 0.1 * chance.standard_normal((4, 990))
    level[0, fault:] += 0.9
    whole = judge(level, of_the_others(level), np.zeros(level.shape), 0)
    assert whole[0, fault + WITHIN : 800].mean() > 0.9
    lead = LEAD - LEAD % STRIDE + STRIDE
    for start in range(lead, 990, 9):
        part = slice(start - lead, start + STRIDE)
        known = np.hstack((whole[:, start - lead : start], np.zeros((4, STRIDE))))
        judged = judge(level[:, part], of_the_others(level[:, part]), known, lead)[:, lead:]
        assert (judged == whole[:, start : start + STRIDE]).all()


def test_what_is_expected_is_the_least_squares_line_of_two_others() -> None:
    """Three stations: one pair of others, so the expectation is one held least squares fit, here by NumPy's solver."""
    level = network(7, 3)
    off, deviation = Group(level, of_the_others(level)).differences(np.zeros(level.shape), slice(120, 121))
    y, x = level[0, 48:108], level[1:, 48:108]
    centred = (x - x.mean(axis=1, keepdims=True)).T
    # The hold is one more unit of squares that asks for half of each.
    a, b = np.vstack((centred, np.eye(2))), np.concatenate((y - y.mean(), [0.5, 0.5]))
    slopes = np.linalg.lstsq(a, b, rcond=None)[0]
    expected = y.mean() + (level[1:, 108:121] - x.mean(axis=1, keepdims=True)).T @ slopes
    assert off[0] == pytest.approx(level[0, 108:121] - expected, abs=1e-12)
    assert deviation[0] == pytest.approx(np.sqrt(((y - y.mean() - centred @ slopes) ** 2).mean()), rel=1e-9)
