"""A worker has as many series in memory as its limit says, and the values do not depend on it."""

from __future__ import annotations

import random

import numpy as np
import pytest

from scale.job import CityJob
from scale.kept import Kept
from scale.records import value_message
from scale.state import State
from tests.scale import cases, load

NAMES = ("steady-0", "steady-1", "steady-2")


def log() -> list[tuple[str, bytes]]:
    """Three cities of 40 series, three minutes each: of each meter one measured and one that is made of it."""
    return cases.interleaved([cases.steady_city(n, 20, 3) for n in range(3)], random.Random(1))


class Worker:
    """Counts how often a job was made."""

    def __init__(self, limit: int) -> None:
        self._states: dict[str, State] = {}
        self.made: list[str] = []
        self.kept = Kept(limit, self._make)

    def _make(self, key: str) -> CityJob:
        self.made.append(key)
        return CityJob(key, self._states.setdefault(key, {}))

    def work(self) -> list[tuple[bytes, bytes]]:
        return [value_message(v) for name, record in log() for v in self.kept.take(name, record).values]


def test_within_the_limit_each_city_is_made_once() -> None:
    worker = Worker(120)
    assert worker.work()
    assert sorted(worker.made) == list(NAMES)
    assert worker.kept.held == 120


@pytest.mark.parametrize(("limit", "held"), [(80, 80), (40, 40), (5, 40)])
def test_a_smaller_limit_makes_jobs_again_and_changes_no_value(limit: int, held: int) -> None:
    worker = Worker(limit)
    assert worker.work() == Worker(1000).work()
    assert len(worker.made) > 3
    assert worker.kept.held == held


def test_the_city_that_was_used_longest_ago_is_left_out() -> None:
    made: list[str] = []

    def job(key: str) -> CityJob:
        made.append(key)
        return CityJob(key, {})

    kept = Kept(40, job)
    for name in (NAMES[0], NAMES[1], NAMES[0], NAMES[2], NAMES[0], NAMES[1]):
        [windows, _] = load.records(name, 20, 0, np.random.default_rng(1))
        kept.take(name, windows)
    assert made == [NAMES[0], NAMES[1], NAMES[2], NAMES[1]]
