"""Slow messages of a steady flow wait for each other, at most a second; nothing else waits."""

from __future__ import annotations

import random
from typing import Any

import pytest

from adapters.mqtt.gathering import Holding

START = 1_709_294_400_000
TICK = 1000  # ms between two flushes


class Line:
    """A link to which messages come at given times, ms; `most` of them before they are acknowledged."""

    def __init__(self, times: list[float], most: int = 1 << 30) -> None:
        self.times, self.most, self.now = sorted(times), most, START
        self.waiting = self.held = self.passed = 0
        self.connected = True

    def read(self) -> None:
        """What has come by now."""
        while self.times and START + self.times[0] <= self.now and self.waiting < self.most:
            self.times.pop(0)
            self.waiting += 1


def batches(line: Line, until: int, holding: Holding | None = None) -> list[tuple[int, list[int]]]:
    """When each batch was taken, ms, and the arrivals that were noted of its messages."""
    made: Any = line
    holding = holding or Holding(made)
    found = []
    while line.now < START + until:
        line.read()
        holds = holding.holds(line.now) and line.now % TICK != 0
        if line.waiting and not holds:
            found.append((line.now - START, [at - START for at in holding.taken(line.now)]))
            line.waiting = line.held = 0
        line.now += 1
    return found


def test_messages_of_a_steady_flow_are_taken_once_a_second_with_the_times_of_their_arrival() -> None:
    times = [70.0 + 150 * n for n in range(400)]
    found = batches(Line(times.copy()), 61_000)
    assert [at for _, arrivals in found for at in arrivals] == times
    assert len(found) <= 60 + 5, "the first ones, until it is known how fast they come, are taken at once"
    assert all(taken - arrivals[0] <= 1000 for taken, arrivals in found)


def test_messages_by_chance_are_taken_together_too() -> None:
    chance = random.Random(4)
    times = [chance.uniform(0, 60_000) for _ in range(400)]
    found = batches(Line(times), 61_000)
    assert sum(len(arrivals) for _, arrivals in found) == 400
    assert len(found) <= 140


@pytest.mark.parametrize("gap", [800, 2000, 30_000])
def test_a_message_that_comes_after_a_silence_is_taken_at_once(gap: int) -> None:
    times = [float(gap * n + 7) for n in range(40)]
    assert [taken for taken, _ in batches(Line(times.copy()), 40 * gap)] == times
    steady = [150.0 * n for n in range(200)]
    after = batches(Line([*steady, 40_007.0]), 50_000)[-1]
    assert after == (40_007, [40_007])


@pytest.mark.parametrize("most", [1, 2, 5, 10, 20])
def test_a_broker_that_waits_for_acknowledgements_is_not_slowed_down(most: int) -> None:
    found = batches(Line([0.0] * 100_000, most), 5_000)
    assert sum(len(arrivals) for _, arrivals in found) > 5_000 / 10 * most, (
        "a wait of few ms after each acknowledgement"
    )


def test_ten_that_are_not_acknowledged_are_enough_also_of_those_for_others() -> None:
    line = Line([150.0 * n for n in range(100)])
    made: Any = line
    holding = Holding(made)
    batches(line, 10_300, holding)
    assert line.held == 2
    line.passed += 8
    assert not holding.holds(line.now)
    burst = batches(Line([*(150.0 * n for n in range(100)), *([14_900.0] * 30)]), 20_000)
    assert max(len(arrivals) for taken, arrivals in burst if taken == 14_900) >= 30


def test_nothing_waits_for_a_clock_that_is_set_back_or_without_a_connection() -> None:
    line = Line([150.0 * n for n in range(100)])
    made: Any = line
    holding = Holding(made)
    batches(line, 10_300, holding)
    assert holding.holds(line.now)
    assert holding.until() <= line.now + 1000
    assert not holding.holds(line.now - 3_600_000)
    line.connected = False
    assert not holding.holds(line.now)
