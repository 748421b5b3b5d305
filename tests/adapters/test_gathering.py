"""When messages of a link are taken: at once after a silence, together where they come fast, never much later."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from adapters.mqtt import gathering
from adapters.mqtt.gathering import Gathering


class Line:
    """A link to which messages come at given times; `most` of them before they are taken."""

    def __init__(self, times: list[float], most: int = 1 << 30) -> None:
        self.times, self.most, self.now, self.reads = times, most, 0.0, 0
        self.waiting = self.passed = 0

    def read(self) -> None:
        """What has come by now."""
        self.reads += 1
        while self.times and self.times[0] <= self.now and self.waiting < self.most:
            self.times.pop(0)
            self.waiting += 1

    def taken(self) -> int:
        """All that wait."""
        count, self.waiting = self.waiting, 0
        return count


class Run:
    """A gateway that takes messages, at a cost in seconds for each batch."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, line: Line, cost: float = 0.004) -> None:
        self.line, self.cost, self.readable = line, cost, False
        monkeypatch.setattr(gathering, "select", SimpleNamespace(select=self._pause))
        made: Any = line
        self.gathering = Gathering(made, lambda: line.now)

    def _pause(self, _read: object, _write: object, _error: object, timeout: float) -> tuple[list[int], Any, Any]:
        self.line.now += 0.0 if self.readable else timeout
        return [1] if self.readable else [], [], []

    def batches(self, until: float) -> Iterator[tuple[float, int]]:
        """When each batch was stored, and its size."""
        while self.line.now < until:
            self.line.read()
            self.gathering.wait()
            if self.line.waiting:
                self.line.now += self.cost
                yield self.line.now, self.line.taken()
            else:
                self.line.now += 0.001


def test_a_message_after_a_silence_is_taken_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    times = [0.5 * n for n in range(1, 20)]
    found = list(Run(monkeypatch, Line(times.copy())).batches(10))
    assert [count for _, count in found] == [1] * 19
    assert all(at - sent < 0.006 for (at, _), sent in zip(found, times, strict=True))


@pytest.mark.parametrize(("rate", "most"), [(200, 17), (2_000, 13), (50_000, 50)])
def test_messages_that_come_fast_are_taken_together(monkeypatch: pytest.MonkeyPatch, rate: int, most: int) -> None:
    line = Line([n / rate for n in range(3 * rate)])
    found = list(Run(monkeypatch, line).batches(3))
    assert len(found) <= 3 * most
    assert sum(count for _, count in found) >= 2.8 * rate


def test_a_broker_that_waits_for_acknowledgements_is_not_slowed_down_by_more_than_a_third(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    line = Line([0.0] * 1_000_000, most=20)
    found = list(Run(monkeypatch, line).batches(10))
    assert len(found) > 10 / 0.004 * 2 / 3


def test_messages_for_others_are_read_together_too(monkeypatch: pytest.MonkeyPatch) -> None:
    line = Line([])
    run = Run(monkeypatch, line)
    reads = 0
    while line.now < 3:
        line.passed += 1
        line.read = lambda: setattr(line, "passed", line.passed + 1)  # type: ignore[method-assign]
        run.gathering.wait()
        reads += 1
    assert reads <= 31


def test_other_work_is_not_kept_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    line = Line([n / 2_000 for n in range(2_000)])
    run = Run(monkeypatch, line)
    list(run.batches(0.5))
    run.readable, before = True, line.reads
    line.read()
    run.gathering.wait()
    assert line.reads <= before + 2
