"""Days of registers against loops over the readings: wrong readings, meter changes, gaps, and registers read seldom."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from kpi_derivation.rules.metering.register_days import energy_between, fold, spans
from telemetry.partials import Partials
from telemetry.partials import fold as fold_readings
from telemetry.readings import Readings
from telemetry.windows import DAY, HOUR, MINUTE
from tests.kpi_derivation.golden.world import LATER, Reading, World, at

FIRST = at("2020-03-02")
ORDINAL = FIRST // DAY + 719_163  # of 1970-01-01 in the proleptic calendar
RATE = 1.25  # kWh an hour, always: a day's energy is its hours times it, wherever the readings are


def meter(**more: Any) -> World:
    return World([{"id": "m", "kind": "electricity_meter", "quantities": ["energy_total"], **more}])


def run(w: World, times: list[int], values: list[float]) -> World:
    w.take([Reading(t, "m", "energy_total", v) for t, v in zip(times, values, strict=True)])
    w.engine.evaluate(LATER)
    return w


def column(w: World, name: str, days: int) -> list[float]:
    found = w.engine._days.daily(["m"], "energy_total", ORDINAL, ORDINAL + days - 1)[name]
    return [float(value) for value in np.asarray(found)[0]]


def shown(t: int) -> float:
    """What the register shows."""
    return round(4000 + RATE * (t - FIRST) / HOUR, 6)


def hourly(days: int, minute: int = 0) -> list[int]:
    return [FIRST + h * HOUR + minute * MINUTE for h in range(24 * days)]


def energy(times: list[int], days: int) -> list[float]:
    """Of each day: the time between the first and the last reading that lies in it, at the one rate."""
    bounds = [(FIRST + i * DAY, FIRST + (i + 1) * DAY) for i in range(days)]
    return [RATE * max(min(times[-1], b) - max(times[0], a), 0) / HOUR for a, b in bounds]


@pytest.mark.parametrize(
    "place", [30, 47, 48, 49], ids=["inside a day", "its last", "the next one's first", "after it"]
)
@pytest.mark.parametrize("wrong", [0.1, 10.0], ids=["a digit lost", "a digit doubled"])
def test_a_wrong_reading_changes_no_day(place: int, wrong: float) -> None:
    times = hourly(3, 10)
    values = [shown(t) for t in times]
    values[place] = round(values[place] * wrong, 3)
    w = run(meter(interval_s=3600), times, values)
    assert column(w, "increase", 3) == pytest.approx(energy(times, 3))
    assert w.engine._days.meter_changes(ORDINAL, ORDINAL + 2) == {}


@pytest.mark.parametrize("hour", [30, 48], ids=["inside a day", "between two days"])
def test_a_declared_meter_change_counts_what_both_registers_showed(hour: int) -> None:
    times = hourly(3, 10)
    change = FIRST + hour * HOUR - 20 * MINUTE
    entry = {
        "quantity": "energy_total", "at": f"2020-03-0{2 + (change - FIRST) // DAY}T{change // HOUR % 24:02}:40:00Z",
        "last": shown(change), "first": 7.0,
    }  # fmt: skip
    values = [shown(t) if t < change else 7.0 + shown(t) - shown(change) for t in times]
    w = run(meter(interval_s=3600, meter_change=[entry]), times, values)
    assert column(w, "increase", 3) == pytest.approx(energy(times, 3))


def test_a_gap_of_days_has_its_energy_spread_over_it() -> None:
    times = [t for t in hourly(5, 10) if not FIRST + 20 * HOUR < t < FIRST + 90 * HOUR]
    w = run(meter(interval_s=3600), times, [shown(t) for t in times])
    assert column(w, "increase", 5) == pytest.approx(energy(times, 5))


def test_a_gap_with_a_wrong_reading_beside_it_has_its_energy_spread_over_it() -> None:
    times = [t for t in hourly(5, 10) if not FIRST + 20 * HOUR < t < FIRST + 90 * HOUR]
    values = [shown(t) for t in times]
    values[5] = values[5] / 10
    assert column(run(meter(interval_s=3600), times, values), "increase", 5) == pytest.approx(energy(times, 5))


def covered(times: list[int], interval: int, days: int) -> list[float]:
    """Between readings of a day all the time; from one day to another as far as the interval reaches in a gap."""
    out = [0.0] * days
    for a, b in itertools.pairwise(times):
        same = (a - FIRST) // DAY == (b - FIRST) // DAY
        end = b if same or b - a <= 1.5 * interval else a + interval
        for i in range(days):
            out[i] += max(min(end, FIRST + (i + 1) * DAY) - max(a, FIRST + i * DAY), 0)
    return out


@pytest.mark.parametrize("hours", [2.5, 6.0, 24.0])
def test_a_register_that_is_read_seldom_covers_the_time_between_its_readings(hours: float) -> None:
    step, days = int(hours * HOUR), 6
    every = [FIRST + 10 * MINUTE + n * step for n in range(int(days * 24 / hours))]
    times = [t for t in every if not FIRST + 1.9 * DAY < t < FIRST + 4.05 * DAY]
    w = run(meter(interval_s=step // 1000), times, [shown(t) for t in times])
    assert column(w, "covered", days) == pytest.approx(covered(times, step, days))
    assert column(w, "increase", days) == pytest.approx(energy(times, days))


def test_a_register_that_is_read_every_two_hours_is_covered_by_its_readings() -> None:
    times = [FIRST + 10 * MINUTE + 2 * HOUR * n for n in range(12)]
    w = run(meter(interval_s=7200), times, [shown(t) for t in times])
    assert column(w, "covered", 1) == [24 * HOUR]  # the last reading stands for its two hours too


def hours_of(times: list[int], values: list[float]) -> Partials:
    return fold_readings(Readings.of([0] * len(times), times, values), HOUR, np.full(len(times), np.inf))


def test_energy_between_two_times_takes_the_share_of_the_steps_that_cross_them() -> None:
    times = hourly(1, 10)
    hours = hours_of(times, [shown(t) for t in times])
    for a, b in ((3, 9), (0, 24), (5.5, 5.75), (30, 40)):
        bounds = np.array([FIRST + int(a * HOUR), FIRST + int(b * HOUR)])
        inside = max(min(times[-1], bounds[1]) - max(times[0], bounds[0]), 0) / HOUR
        assert energy_between(hours, np.inf, bounds) == pytest.approx(RATE * inside)


def test_steps_of_a_register_with_a_wrong_reading_leave_it_out() -> None:
    times = hourly(1)
    values = [shown(t) for t in times]
    values[7] = 12.0
    found = spans(
        hours_of(times, values), np.zeros(24, dtype=np.int64), np.full(24, np.inf), np.array([np.nan]), lambda _: ()
    )
    assert float(found.energy.sum()) == pytest.approx(23 * RATE)
    assert (FIRST + 6 * HOUR, FIRST + 8 * HOUR) in zip(found.start.tolist(), found.end.tolist(), strict=True)


def test_without_hours_there_is_nothing() -> None:
    none, nothing = np.empty(0, dtype=np.int64), np.empty(0)
    assert len(spans(Partials.empty(), none, nothing, nothing, lambda _: ()).energy) == 0
    days = fold(Partials.empty(), none, 2, nothing, [(), ()], np.full(2, np.nan))
    assert days.inside.tolist() == [0.0, 0.0]
    assert np.isnan(days.first).all()


@pytest.mark.parametrize("hour", [30, 48], ids=["inside a day", "between two days"])
def test_a_replaced_register_counts_nothing_in_that_step_and_is_reported(hour: int) -> None:
    times = hourly(4, 10)
    # The new register starts above zero, so that its first reading cannot be energy since the old one's last.
    values = [shown(t) - (0 if t < FIRST + hour * HOUR else 3400) for t in times]
    w = run(meter(interval_s=3600, max_kw=20), times, values)
    day = ORDINAL + times[hour] // DAY - FIRST // DAY
    assert w.engine._days.meter_changes(ORDINAL, ORDINAL + 3) == {("m", "energy_total"): [day]}
    assert w.engine._days.meter_changes(ORDINAL, day - 1) == {}
    assert sum(column(w, "increase", 4)) == pytest.approx(sum(energy(times, 4)) - RATE)
