"""The time for which a register's readings stand is the time between them, however irregularly it is read."""

from __future__ import annotations

import itertools
import random

import pytest

from telemetry.windows import DAY, MINUTE
from tests.kpi_derivation.golden.world import Reading, World, at

START, DAYS = at("2021-03-01T00:00"), 5
METERED = "LOCAL:E:METERED"


def meter(interval_s: float | None) -> World:
    more = {} if interval_s is None else {"interval_s": interval_s}
    return World([{"id": "m", "kind": "electricity_meter", "quantities": ["energy_total"], **more}])


def times(shortest_s: int, longest_s: int, seed: int = 3) -> list[int]:
    """Random steps from START on, over DAYS days."""
    chance, t, out = random.Random(seed), START, []
    while t < START + DAYS * DAY:
        out.append(t)
        t += chance.randint(shortest_s, longest_s) * 1000
    return out


def take(w: World, read: list[int]) -> None:
    """A load of 3 kW."""
    w.take([Reading(t, "m", "energy_total", 500.0 + 3.0 * (t - START) / 3_600_000) for t in read])


def coverage(w: World) -> float:
    """Mean coverage of the whole days but the first and the last, whose ends are not between readings."""
    return sum(w.value(METERED, f"2021-03-0{d}").coverage for d in range(2, DAYS)) / (DAYS - 2)


@pytest.mark.parametrize(("shortest", "longest", "interval"), [(600, 1100, 900), (50, 70, 60), (3000, 3600, 3600)])
def test_irregular_readings_leave_no_time_out(shortest: int, longest: int, interval: float) -> None:
    w = meter(interval)
    take(w, times(shortest, longest))
    assert coverage(w) == pytest.approx(1.0, abs=0.005)


@pytest.mark.parametrize("hours", [1, 3, 11, 26])
def test_a_gap_counts_one_interval(hours: int) -> None:
    """Independent sum: each step counts whole, or the interval where it is longer than one and a half."""
    w, gap = meter(900.0), (START + 2 * DAY + 5 * 60 * MINUTE, START + 2 * DAY + (5 + hours) * 60 * MINUTE)
    read = [t for t in times(600, 1100) if not gap[0] < t < gap[1]]
    take(w, read)
    first, last = START + DAY, START + (DAYS - 1) * DAY
    total = 0
    for a, b in itertools.pairwise(read):
        end = b if b - a <= 1_350_000 else a + 900_000
        total += max(min(end, last) - max(a, first), 0)
    assert coverage(w) == pytest.approx(total / (last - first), abs=0.002)


def test_every_second_reading_missing_covers_half() -> None:
    w = meter(900.0)
    take(w, list(range(START, START + DAYS * DAY, 30 * MINUTE)))
    assert coverage(w) == pytest.approx(0.5, abs=0.01)


def test_one_reading_a_quarter_covers_all_wherever_it_falls() -> None:
    for offset in (0, 1, 7, 14):
        w = meter(900.0)
        take(w, [t + offset * MINUTE for t in range(START, START + DAYS * DAY, 15 * MINUTE)])
        assert coverage(w) == pytest.approx(1.0, abs=1e-9)


def test_the_last_24_hours_are_covered_as_a_day_is() -> None:
    w = meter(900.0)
    take(w, times(600, 1100))
    now = START + 4 * DAY + 10 * MINUTE
    w.engine.evaluate(now)
    rolling = next(p for p in w.engine.rolling(now) if p.kind == "24h")
    [value] = [v for v in w.engine.derive(rolling, now) if v.code == METERED]
    assert value.coverage == pytest.approx(1.0, abs=0.015)  # its ends are not between readings
