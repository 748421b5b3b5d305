"""Every column of a day against plain arithmetic on its readings: loops over readings, no windows, no code shared."""

from __future__ import annotations

import math
import random
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from telemetry.windows import HOUR
from tests.kpi_derivation.golden.world import LATER, Reading, World

STEP = 10  # minutes between readings
CAPTURE = 0.75
# Where the days begin: an ordinary week, clocks forward and back, hours that begin at half past.
PLACES = [
    ("UTC", "2020-06-01"), ("Europe/Oslo", "2020-03-27"), ("Europe/Oslo", "2020-10-23"), ("Asia/Kolkata", "2020-01-30"),
    ("America/New_York", "2020-10-30"),
]  # fmt: skip
LIMIT = {"no2": 200.0, "so2": 350.0}


def local(t: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(t / 1000, UTC).astimezone(zone)


def begin(day: date, zone: ZoneInfo) -> int:
    return round(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()) * 1000


def made(seed: int, zone: ZoneInfo, first: date, quantity: str, days: int = 4) -> list[Reading]:
    """Readings of some days with gaps, full hours and thin ones, and single high hours."""
    dice, out = random.Random(seed), []
    start, end = begin(first, zone), begin(first + timedelta(days=days), zone)
    for hour in range(start, end, HOUR):
        kind = dice.random()
        level = dice.uniform(0, 60) if kind < 0.93 else dice.uniform(300, 900)
        there = 6 if kind < 0.6 else dice.choice([0, 3, 4, 5, 6])  # of six readings; 5 are enough for 75 %, 4 are not
        for i in sorted(dice.sample(range(6), there)):
            value = round(level + dice.uniform(-5, 5), 2) if quantity != "laeq" else round(dice.uniform(40, 80), 1)
            out.append(Reading(hour + i * STEP * 60_000, "d", quantity, value))
    return out


def hours_of(readings: list[Reading], start: int, end: int) -> list[list[float]]:
    """The readings of each hour from `start` to `end`."""
    return [[r.value for r in readings if t <= r.time < t + HOUR] for t in range(start, end, HOUR)]


def valid_means(readings: list[Reading], start: int, end: int) -> list[float | None]:
    """The mean of each hour in which the readings stand for 75 % of the time; each stands for 10 minutes."""
    hours = hours_of(readings, start, end)
    return [math.fsum(h) / len(h) if len(h) * STEP >= CAPTURE * 60 else None for h in hours]


def column(w: World, quantity: str, name: str, day: date) -> float:
    found = w.engine._days.daily(["d"], quantity, day.toordinal(), day.toordinal())
    return float(found[name][0, 0])


def world(kind: str, quantity: str, zone: str, readings: list[Reading]) -> World:
    entry = {"id": "d", "kind": kind, "quantities": [quantity], "interval_s": 60 * STEP}
    w = World([entry], {"hour_capture": CAPTURE}, timezone=zone)
    w.take(random.Random(1).sample(readings, len(readings)))
    w.engine.evaluate(LATER)
    return w


@pytest.mark.parametrize(("zone", "first"), PLACES)
@pytest.mark.parametrize("quantity", ["no2", "so2", "pm10"])
def test_the_columns_of_an_air_station(zone: str, first: str, quantity: str) -> None:
    place, start = ZoneInfo(zone), date.fromisoformat(first)
    readings = made(len(zone) + len(quantity), place, start, quantity)
    w = world("air_reference", quantity, zone, readings)
    for day in (start + timedelta(days=i) for i in range(4)):
        a, b = begin(day, place), begin(day + timedelta(days=1), place)
        today = [r for r in readings if a <= r.time < b]
        means = [m for m in valid_means(readings, a, b) if m is not None]
        assert column(w, quantity, "n", day) == len(today)
        assert column(w, quantity, "sum", day) == pytest.approx(math.fsum(r.value for r in today))
        assert column(w, quantity, "covered", day) == len(today) * STEP * 60_000
        assert column(w, quantity, "hours", day) == len(means)
        assert column(w, quantity, "hour_sum", day) == pytest.approx(math.fsum(means))
        assert column(w, quantity, "max1", day) == pytest.approx(max(means))
        assert column(w, quantity, "min1", day) == pytest.approx(min(means))
        assert column(w, quantity, "over", day) == sum(m > LIMIT.get(quantity, math.inf) for m in means)
        assert column(w, quantity, "max8", day) == pytest.approx(
            max(running_means(readings, a, b), default=math.nan), nan_ok=True
        )
        assert column(w, quantity, "spikes", day) == spikes(readings, a, b)


def running_means(readings: list[Reading], start: int, end: int) -> list[float]:
    """Of each hour of the day: it and the seven before, which may lie in the day before; at least 6 valid."""
    out = []
    for hour in range(start, end, HOUR):
        eight = [m for m in valid_means(readings, hour - 7 * HOUR, hour + HOUR) if m is not None]
        if len(eight) >= 6:
            out.append(math.fsum(eight) / len(eight))
    return out


def spikes(readings: list[Reading], start: int, end: int) -> int:
    """Hours of 100 or more that are over 8 times the hours beside them; the one before must be there."""
    count = 0
    for hour in range(start, end, HOUR):
        before, here, after = valid_means(readings, hour - HOUR, hour + 2 * HOUR)
        if hour + HOUR == end:
            after = None  # the day ends: its last hour is held against the one before
        around = max(x for x in (before, after, 1.0) if x is not None)
        count += before is not None and here is not None and here >= 100.0 and here > 8.0 * around
    return count


@pytest.mark.parametrize(("zone", "first"), PLACES)
def test_the_columns_of_a_noise_site(zone: str, first: str) -> None:
    place, start = ZoneInfo(zone), date.fromisoformat(first)
    readings = made(7, place, start, "laeq")
    w = world("noise", "laeq", zone, readings)
    for day in (start + timedelta(days=i) for i in range(4)):
        a, b = begin(day, place), begin(day + timedelta(days=1), place)
        energy = {"day": 0.0, "evening": 0.0, "night": 0.0}
        hours = dict.fromkeys(energy, 0)
        for t in range(a, b, HOUR):
            levels = [r.value for r in readings if t <= r.time < t + HOUR]
            if len(levels) * STEP >= CAPTURE * 60:
                clock = local(t, place).hour
                part = "day" if 7 <= clock < 19 else "evening" if 19 <= clock < 23 else "night"
                energy[part] += math.fsum(10 ** (x / 10) for x in levels) / len(levels)
                hours[part] += 1
        for part, total in energy.items():
            assert column(w, "sound_energy", f"hours_{part}", day) == hours[part]
            assert column(w, "sound_energy", f"energy_{part}", day) == pytest.approx(total)


def test_the_median_step_stands_for_a_reading_where_the_registry_says_nothing() -> None:
    """Readings every 10 minutes, one gap: a reading stands for 10 minutes, so 5 of 6 make an hour, 4 do not."""
    readings = made(3, ZoneInfo("UTC"), date(2020, 6, 1), "pm10")
    w = World([{"id": "d", "kind": "air_reference", "quantities": ["pm10"]}], {"hour_capture": CAPTURE})
    w.take(readings)
    w.engine.evaluate(LATER)
    for i in range(4):
        day = date(2020, 6, 1) + timedelta(days=i)
        a = begin(day, ZoneInfo("UTC"))
        means = [m for m in valid_means(readings, a, a + 24 * HOUR) if m is not None]
        assert column(w, "pm10", "hours", day) == len(means)


def test_a_late_hour_of_the_evening_changes_the_running_mean_of_the_next_morning() -> None:
    zone, first = ZoneInfo("UTC"), date(2020, 6, 1)
    readings = [Reading(begin(first, zone) + i * HOUR, "d", "o3", 50.0) for i in range(48)]
    late = [r._replace(value=90.0) for r in readings if 21 <= (r.time - begin(first, zone)) // HOUR < 24]
    w = World([{"id": "d", "kind": "air_reference", "quantities": ["o3"], "interval_s": 3600}])
    w.take([r for r in readings if all(r.time != x.time for x in late)])
    w.engine.evaluate(LATER)
    assert column(w, "o3", "max8", date(2020, 6, 2)) == 50.0
    w.take(late)
    w.engine.evaluate(LATER)
    # The mean that ends at 00-01 holds 17-20 (50) and 21-23 (90) and the first hour of the day (50).
    assert column(w, "o3", "max8", date(2020, 6, 2)) == pytest.approx((5 * 50.0 + 3 * 90.0) / 8)
    assert np.isfinite(column(w, "o3", "max8", date(2020, 6, 1)))


def test_more_readings_than_expected_cover_no_more_than_the_hour() -> None:
    first = date(2020, 6, 1)
    readings = [Reading(begin(first, ZoneInfo("UTC")) + i * 60_000, "d", "pm10", 1.0) for i in range(60)]
    w = world("air_reference", "pm10", "UTC", readings)  # one a minute where the registry says one in ten
    assert column(w, "pm10", "covered", first) == HOUR


def test_a_reading_stands_for_the_smaller_of_the_days_and_the_devices_median_step() -> None:
    first, steps = date(2020, 6, 1), [10, 10, 5, 20]  # minutes, by day; on the third only half of each hour
    readings = [
        Reading(begin(first + timedelta(days=i), ZoneInfo("UTC")) + minute * 60_000, "d", "pm10", 1.0)
        for i, step in enumerate(steps)
        for minute in range(0, 24 * 60, step)
        if step != 5 or minute % 60 < 30
    ]
    w = World([{"id": "d", "kind": "air_reference", "quantities": ["pm10"]}])
    w.take(readings)
    w.engine.evaluate(LATER)
    days = [first + timedelta(days=i) for i in range(4)]
    # The median of the days is 10. A reading of the third day stands for 5 minutes, of the fourth for 10 and not 20:
    # what is missing of it is not covered by readings that stand for longer.
    minutes = [column(w, "pm10", "covered", day) / 60_000 for day in days]
    assert minutes == [24 * 60, 24 * 60, 12 * 60, 12 * 60]


def test_days_that_come_one_by_one_have_the_columns_of_days_that_come_at_once() -> None:
    """Each new day changes the device's median step, and with it how long the readings of the days before stand."""
    first, steps = date(2020, 6, 1), [20, 20, 10, 10, 10]  # minutes, by day
    w = World([{"id": "d", "kind": "air_reference", "quantities": ["pm10"]}])
    days = [first + timedelta(days=i) for i in range(5)]
    for day, step in zip(days, steps, strict=True):
        start = begin(day, ZoneInfo("UTC"))
        w.take(Reading(start + minute * 60_000, "d", "pm10", 1.0) for minute in range(0, 24 * 60, step))
        w.engine.evaluate(LATER)
    # The median of the days is 10 minutes, so of the first two days half is covered.
    assert [column(w, "pm10", "covered", day) / HOUR for day in days] == [12, 12, 24, 24, 24]


def test_a_change_late_in_a_day_leaves_its_other_columns_and_reaches_the_next_day_only() -> None:
    zone, first = ZoneInfo("UTC"), date(2020, 6, 1)
    start = begin(first, zone)
    w = World([{"id": "d", "kind": "air_reference", "quantities": ["o3"], "interval_s": 3600}])
    w.take(Reading(start + i * HOUR, "d", "o3", 50.0) for i in range(96) if i % 24 < 22 or i >= 72)
    w.engine.evaluate(LATER)
    days = [first + timedelta(days=i) for i in range(4)]
    assert [column(w, "o3", "n", day) for day in days] == [22, 22, 22, 24]
    # The last hours of the first and the third day arrive together; the second day has no new reading.
    w.take(Reading(start + i * HOUR, "d", "o3", 90.0) for i in (22, 23, 70, 71))
    changed = w.engine._days.settle()
    assert {day for _, day in changed} == {day.toordinal() for day in days}
    assert [column(w, "o3", "n", day) for day in days] == [24, 22, 24, 24]
    # The mean that ends at 00-01 of the second and of the fourth day holds two hours of 90 and six of 50.
    assert [column(w, "o3", "max8", day) for day in days] == [60.0, 60.0, 60.0, 60.0]
    assert w.engine._days.settle() == set()  # nothing is folded a second time


def test_a_register_reading_changes_the_energy_of_the_days_before_it() -> None:
    """100 kWh at noon of the first day, 148 at noon of the third: 12, 24 and 12 kWh, one in each hour."""
    first = date(2020, 6, 1)
    noon = begin(first, ZoneInfo("UTC")) + 12 * HOUR
    w = World([{"id": "d", "kind": "electricity_meter", "quantities": ["energy_total"]}])
    w.take([Reading(noon, "d", "energy_total", 100.0)])
    w.engine.evaluate(LATER)
    w.take([Reading(noon + 48 * HOUR, "d", "energy_total", 148.0)])
    changed = w.engine._days.settle()
    days = [first + timedelta(days=i) for i in range(3)]
    assert {day for _, day in changed} == {day.toordinal() for day in days}
    assert [column(w, "energy_total", "increase", day) for day in days] == pytest.approx([12.0, 24.0, 12.0])
