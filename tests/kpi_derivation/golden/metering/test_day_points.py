"""Days of registers from few readings, each figure worked out by hand beside it; the functions alone, no engine."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest

from kpi_derivation.rules.metering.register_days import (
    SLOW,
    DayPoints,
    covered,
    energy_between,
    fold,
    join,
    spans,
)
from kpi_derivation.rules.metering.registers import MeterChange
from telemetry.partials import Partials
from telemetry.partials import fold as fold_readings
from telemetry.readings import Readings
from telemetry.windows import DAY, HOUR, MINUTE

NAN = math.nan
Point = tuple[float, float]  # hours since the first midnight, what the register showed


def hours_of(
    points: Sequence[Point], flagged: Sequence[int] = (), modulus: float = math.inf, series: int = 0
) -> Partials:
    """The hours of these readings; those at the places `flagged` are not accepted."""
    n = len(points)
    times = [round(h * HOUR) for h, _ in points]
    flags = [int(i in flagged) for i in range(n)]
    found = Readings.of([series] * n, times, [v for _, v in points], flag=flags)
    return fold_readings(found, HOUR, np.full(n, modulus))


def folded(
    points: Sequence[Point], groups: int, *, flagged: Sequence[int] = (), modulus: float = math.inf,
    changes: Sequence[MeterChange] = (), limit: float = NAN,
) -> DayPoints:  # fmt: skip
    """The days of one register."""
    hours = hours_of(points, flagged, modulus)
    of_hour = np.full(len(hours), modulus)
    return fold(hours, hours.start // DAY, groups, of_hour, [changes] * groups, np.full(groups, limit))


def shown(found: DayPoints, day: int) -> tuple[float, ...]:
    """Inside, first, last, first and last time in hours, changes, tail."""
    return (
        float(found.inside[day]), float(found.first[day]), float(found.last[day]), float(found.first_t[day]) / HOUR,
        float(found.last_t[day]) / HOUR, float(found.changed[day]), float(found.tail[day]),
    )  # fmt: skip


def test_each_day_of_a_register_that_grows_has_its_ends_and_what_lies_between() -> None:
    points = [(0.1, 999.0), (1.0, 100.0), (1.5, 101.0), (5.25, 104.0), (24.0, 110.0), (47.75, 130.0)]
    found = folded(points, 3, flagged=[0])
    assert shown(found, 0) == (4.0, 100.0, 104.0, 1.0, 5.25, 0.0, 0.0)
    assert shown(found, 1) == (20.0, 110.0, 130.0, 24.0, 47.75, 0.0, 0.0)
    assert shown(found, 2) == pytest.approx((0.0, NAN, NAN, NAN, NAN, 0.0, 0.0), nan_ok=True)


def test_a_first_reading_of_the_day_that_lost_its_digits_is_no_start() -> None:
    found = folded([(0, 10.0), (1, 1000.0), (2, 1001.0), (3, 1002.0), (4, 1003.0)], 1)
    assert shown(found, 0) == (3.0, 1000.0, 1003.0, 1.0, 4.0, 0.0, 0.0)


def test_a_step_that_the_connection_cannot_carry_is_another_meter() -> None:
    """At most 10 in an hour: 105 to 120 cannot be, so that step counts nothing."""
    values = [100.0, 105.0, 120.0, 125.0, 130.0, 135.0, 140.0]
    found = folded([(h, v) for h, v in enumerate(values)], 1, limit=10.0)
    assert shown(found, 0) == (25.0, 100.0, 140.0, 0.0, 6.0, 1.0, 0.0)
    assert shown(folded([(h, v) for h, v in enumerate(values)], 1), 0)[0] == 40.0


def test_a_step_over_two_hours_may_carry_twice_as_much() -> None:
    found = folded([(0, 100.0), (1, 105.0), (3, 120.0), (4, 125.0), (5, 130.0), (6, 135.0)], 1, limit=10.0)
    assert shown(found, 0)[0] == 35.0
    assert shown(found, 0)[5] == 0.0


def test_what_falls_at_the_end_of_a_day_waits_for_the_next() -> None:
    """103 to 50 may be a wrong reading: later ones decide. Where none follow, 50 to 51 counts."""
    rising: list[Point] = [(0, 100.0), (1, 101.0), (2, 102.0), (3, 103.0)]
    assert shown(folded([*rising, (4, 50.0)], 1), 0) == (3.0, 100.0, 103.0, 0.0, 3.0, 0.0, 0.0)
    assert shown(folded([*rising, (4, 50.0), (5, 51.0)], 1), 0) == (3.0, 100.0, 103.0, 0.0, 3.0, 0.0, 1.0)


def test_one_reading_is_both_ends_of_its_day() -> None:
    assert shown(folded([(7.5, 12.0)], 1), 0) == (0.0, 12.0, 12.0, 7.5, 7.5, 0.0, 0.0)


@pytest.mark.parametrize(("at", "energy", "changed"), [(3, 2.0 + 0.7, 1.0), (0, 50.3, 0.0), (3.5, 50.3, 0.0)])
def test_a_declared_change_counts_in_the_step_that_ends_with_it(at: float, energy: float, changed: float) -> None:
    """The old register stopped at 102.4, the new one began at 150: 0.4 and 0.3 in that step, nothing in others."""
    points: list[Point] = [(0, 100.0), (1, 101.0), (2, 102.0), (3, 150.3)]
    found = folded(points, 1, changes=[MeterChange(round(at * HOUR), 102.4, 150.0)])
    assert float(found.inside[0]) == pytest.approx(energy)
    assert float(found.changed[0]) == changed


def test_the_turn_of_a_register_is_read_by_its_own_modulus() -> None:
    values = [9997.0, 9998.5, 0.5, 1.5, 2.5, 3.5]
    found = folded([(h, v) for h, v in enumerate(values)], 1, modulus=10_000.0)
    assert float(found.inside[0]) == pytest.approx(10_000 + 3.5 - 9997.0)
    assert float(found.changed[0]) == 0.0


def test_groups_of_two_registers_have_changes_and_limits_of_their_own() -> None:
    """The same readings; only the second one's connection is limited, only the first one's meter was changed."""
    one = [(h, v) for h, v in enumerate([100.0, 105.0, 120.0, 125.0, 130.0, 135.0, 140.0])]
    hours = Partials.concat([hours_of(one), hours_of(one, series=1)])
    group = np.repeat([0, 1], 7)
    change = [MeterChange(2 * HOUR, 106.0, 119.0)]
    found = fold(hours, group, 2, np.full(14, np.inf), [change, ()], np.array([NAN, 10.0]))
    assert found.inside.tolist() == [5.0 + (1.0 + 1.0) + 20.0, 25.0]
    assert found.changed.tolist() == [1.0, 1.0]


def points_of(*days: tuple[float, float, float, float], tail: float = 0.0) -> DayPoints:
    """Days of (first hour, first, last hour, last) of a register that grows within each; `tail`: of the last one."""
    first_t, first, last_t, last = (np.array(column, dtype=float) for column in zip(*days, strict=True))
    tails = np.zeros(len(days))
    tails[-1] = tail
    return DayPoints(last - first, first, last, first_t * HOUR, last_t * HOUR, np.zeros(len(days)), tails)


def joined(
    days: Sequence[int], points: DayPoints, count: int, limit: float = NAN, changes: Sequence[MeterChange] = (),
    modulus: float = math.inf,
) -> tuple[list[float], list[float]]:  # fmt: skip
    """Energy and meter changes of `count` days."""
    midnights = np.arange(count + 1) * DAY
    energy, changed = join(np.array(days), points, midnights, modulus, changes, limit)
    return energy.tolist(), changed.tolist()


def test_a_step_between_two_days_is_shared_at_midnight() -> None:
    """20:00 to 04:00: half each; 22:00 to midnight: all of it before. The tail is the last day's."""
    points = points_of((10, 100, 20, 110), (28, 114, 46, 120), (48, 121, 60, 125), tail=0.5)
    assert joined([0, 1, 2], points, 3) == ([12.0, 9.0, 4.5], [0.0, 0.0, 0.0])


def test_a_step_over_whole_days_gives_each_its_time() -> None:
    """One an hour from 18:00 to 06:00 three days later, and two days after it."""
    points = points_of((12, 94, 18, 100), (78, 160, 80, 162), (102, 184, 103, 185))
    assert joined([0, 3, 4], points, 5) == ([12.0, 24.0, 24.0, 24.0, 7.0], [0.0] * 5)


def test_one_day_has_what_it_counted_and_its_tail() -> None:
    assert joined([0], points_of((3, 10, 9, 14), tail=2.0), 1) == ([6.0], [0.0])


def test_a_reset_between_two_days_counts_what_the_register_shows() -> None:
    points = points_of((10, 100, 20, 110), (28, 2, 46, 8))
    assert joined([0, 1], points, 2) == ([10.0 + 1.0, 1.0 + 6.0], [0.0, 0.0])


def test_a_rise_between_two_days_beyond_the_connection_is_another_meter() -> None:
    points = points_of((10, 100, 20, 110), (28, 200, 46, 206))
    assert joined([0, 1], points, 2, limit=5.0) == ([10.0, 6.0], [0.0, 1.0])
    assert joined([0, 1], points, 2, limit=12.0) == ([10.0 + 45.0, 45.0 + 6.0], [0.0, 0.0])


def test_a_rise_between_two_days_that_no_register_can_make_is_another_meter() -> None:
    points = points_of((10, 5000, 20, 5010), (28, 7010.5, 46, 7016.5))
    assert joined([0, 1], points, 2) == ([10.0, 6.0], [0.0, 1.0])


def test_a_last_day_with_a_step_before_it_keeps_its_tail_where_the_register_was_reset() -> None:
    points = points_of((10, 100, 20, 110), (28, 2, 46, 8), tail=1.5)
    assert joined([0, 1], points, 2) == ([11.0, 8.5], [0.0, 0.0])


def test_a_day_whose_meter_changed_within_says_so_beside_a_reset() -> None:
    points = points_of((10, 100, 20, 110), (28, 2, 46, 8))
    points.changed[0] = 1.0
    assert joined([0, 1], points, 2)[1] == [1.0, 0.0]
    growing = points_of((10, 100, 20, 110), (28, 112, 46, 118))
    growing.changed[1] = 1.0
    assert joined([0, 1], growing, 2)[1] == [0.0, 1.0]


def test_a_declared_change_between_two_days() -> None:
    points = points_of((10, 100, 20, 110), (28, 114, 46, 120))
    found = joined([0, 1], points, 2, changes=[MeterChange(24 * HOUR, 111.0, 113.0)])
    assert found == ([10.0 + 1.0, 1.0 + 6.0], [0.0, 1.0])


def test_a_turn_between_two_days() -> None:
    points = points_of((10, 9980, 20, 9990), (28, 6, 46, 12))
    assert joined([0, 1], points, 2, modulus=10_000.0) == ([10.0 + 8.0, 8.0 + 6.0], [0.0, 0.0])


def test_a_day_of_one_reading_between_days_where_the_register_was_reset() -> None:
    """One an hour; reset at noon of the second day, whose only reading is 6 hours after it."""
    points = points_of((0, 100, 12, 112), (42, 6, 42, 6), (54, 18, 60, 24))
    energy, changed = joined([0, 1, 2], points, 3)
    # 12:00 to 18:00 of the next day counts 6: 12 of 30 hours lie in the first day. 18:00 to 06:00: 12, half each.
    assert energy == pytest.approx([12 + 6 * 12 / 30, 6 * 18 / 30 + 6, 6 + 6])
    assert changed == [0.0, 0.0, 0.0]


def test_a_missing_day_where_the_register_was_reset() -> None:
    points = points_of((0, 100, 12, 112), (60, 12, 72, 24))
    energy, changed = joined([0, 2], points, 4)
    # 12 units over 48 hours: 12, 24 and 12 hours; the last reading is at the midnight that ends the third day.
    assert energy == pytest.approx([12 + 3.0, 6.0, 3.0 + 12.0, 0.0])
    assert changed == [0.0] * 4


def test_the_time_that_a_slow_register_covers() -> None:
    """Read at 6 and 18, then at 6 of the next day; nothing for two days, and once at noon of the fifth."""
    points = points_of((6, 1, 18, 2), (30, 3, 30, 3), (108, 4, 108, 4))
    interval = np.full(3, 12.0 * HOUR)
    found = covered(np.array([0, 1, 4]), points, interval, np.arange(6) * DAY)
    # 6:00 to midnight; midnight to 6:00 and 12 hours of the gap; of the last day nothing, as no reading follows.
    assert (found / HOUR).tolist() == [18.0, 6.0 + 12.0, 0.0, 0.0, 0.0]


def test_a_gap_of_one_and_a_half_intervals_is_covered_whole_and_a_longer_one_by_one_interval() -> None:
    exact = covered(
        np.array([0, 1]), points_of((20, 1, 20, 1), (38, 2, 38, 2)), np.full(2, 12.0 * HOUR), np.arange(3) * DAY
    )
    assert (exact / HOUR).tolist() == [4.0, 14.0]
    later = points_of((20, 1, 20, 1), (38.1, 2, 38.1, 2))
    assert (covered(np.array([0, 1]), later, np.full(2, 12.0 * HOUR), np.arange(3) * DAY) / HOUR).tolist() == [4.0, 8.0]


def test_which_registers_are_slow() -> None:
    assert SLOW == 2 * 60 * 60 * 1000


def test_steps_of_several_registers() -> None:
    """The first grows; the second has a wrong reading, the third turns over, the fourth's meter was changed."""
    four: list[list[Point]] = [
        [(0, 10.0), (0.5, 11.0), (2, 14.0)],
        [(0, 500.0), (1, 501.0), (2, 50.0), (3, 503.0), (4, 504.0)],
        [(0, 98.0), (1, 99.0), (2, 1.0), (3, 2.0)],
        [(0, 20.0), (1, 60.0)],
    ]
    moduli = [math.inf, math.inf, 100.0, math.inf]
    hours = Partials.concat(
        [hours_of(p, modulus=m, series=i) for i, (p, m) in enumerate(zip(four, moduli, strict=True))]
    )
    place = hours.series
    changes: dict[int, list[MeterChange]] = {3: [MeterChange(HOUR // 2, 21.0, 57.0)]}
    found = spans(hours, place, np.array(moduli)[place], np.full(4, NAN), lambda g: changes.get(g, []))
    rows = zip(found.place.tolist(), found.start.tolist(), found.end.tolist(), found.energy.tolist(), strict=True)
    made = [(p, a / HOUR, b / HOUR, e) for p, a, b, e in sorted(rows)]
    assert made == [
        (0, 0.0, 0.5, 1.0), (0, 0.5, 2.0, 3.0),
        (1, 0.0, 1.0, 1.0), (1, 1.0, 3.0, 2.0), (1, 3.0, 4.0, 1.0),
        (2, 0.0, 1.0, 1.0), (2, 1.0, 2.0, 2.0), (2, 2.0, 3.0, 1.0),
        (3, 0.0, 1.0, 1.0 + 3.0),
    ]  # fmt: skip


def test_steps_keep_to_the_limit_of_their_own_register() -> None:
    grows: list[Point] = [(h, v) for h, v in enumerate([100.0, 105.0, 120.0, 125.0, 130.0, 135.0, 140.0])]
    hours = Partials.concat([hours_of(grows), hours_of(grows, series=1)])
    found = spans(hours, hours.series, np.full(14, np.inf), np.array([NAN, 10.0]), lambda _: ())
    energy = [float(found.energy[found.place == place].sum()) for place in (0, 1)]
    assert energy == [40.0, 25.0]


@pytest.mark.parametrize(
    ("start", "end", "energy"),
    [
        (1, 3, 2.0),
        (0, 4, 4.0),
        (0.5, 1.5, 1.0),
        (1.25, 1.5, 0.25),
        (-5, 0, 0.0),
        (4, 9, 0.0),
        (3.5, 9, 0.5),
        (-1, 0.25, 0.25),
    ],
)
def test_energy_between_two_times(start: float, end: float, energy: float) -> None:
    """One an hour from hour 0 to 4."""
    hours = hours_of([(h, 100.0 + h) for h in range(5)])
    bounds = np.array([round(start * HOUR), round(end * HOUR)])
    assert energy_between(hours, math.inf, bounds) == pytest.approx(energy)


def test_energy_between_two_times_over_a_gap_a_turn_and_a_wrong_reading() -> None:
    hours = hours_of([(0, 96.0), (1, 97.0), (2, 45.0), (3, 99.0), (5, 1.0), (6, 2.0)], modulus=100.0)
    for start, end, energy in ((0, 6, 6.0), (4, 6, 2.0), (0, 2, 2.0), (3, 5, 2.0)):
        assert energy_between(hours, 100.0, np.array([start, end]) * HOUR) == pytest.approx(energy)


def test_two_readings_of_one_hour_that_fall_are_a_reset_where_the_hour_says_so() -> None:
    """7.0, then 0.2 half an hour later: the register was reset within the hour and counted 0.2 since."""
    points: list[Point] = [(0, 5.0), (1, 6.0), (2, 7.0), (2.5, 0.2), (3, 0.7), (4, 1.7), (5, 2.7), (6, 3.7)]
    assert float(folded(points, 1).inside[0]) == pytest.approx(2.0 + 0.2 + 3.5)
    minutes = [(h * HOUR) // MINUTE for h, _ in points]
    assert minutes == sorted(minutes)


def test_a_wrong_second_reading_of_an_hour_is_left_out_of_the_steps() -> None:
    """500, then 50 half an hour later, then 501: the hour counted 50 if that were a reset, but the register goes on."""
    hours = hours_of([(0, 498.0), (1, 499.0), (2, 500.0), (2.5, 50.0), (3, 501.0), (4, 502.0)])
    found = spans(hours, hours.series, np.full(len(hours), np.inf), np.array([NAN]), lambda _: ())
    assert float(found.energy.sum()) == 4.0
