"""A process whose store or disk is not ready when it starts waits for it, whatever moment it goes away."""

from __future__ import annotations

import logging
from types import SimpleNamespace

import pytest

from cityvitals import processes
from telemetry.errors import Unavailable, UsageError


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "time", SimpleNamespace(sleep=lambda _s: None))


def test_what_is_away_is_waited_for_and_said_once(caplog: pytest.LogCaptureFixture) -> None:
    outcomes = iter([Unavailable("the store is away"), Unavailable("the store is away"), None])

    def make() -> str:
        problem = next(outcomes)
        if problem:
            raise problem
        return "made"

    with caplog.at_level(logging.WARNING):
        assert processes.when_available(make, lambda: False) == "made"
    assert caplog.text.count("the store is away") == 1


def test_a_stop_ends_the_waiting() -> None:
    def never() -> None:
        raise Unavailable("away")

    asked = iter([False, False, True])
    with pytest.raises(SystemExit, match="0"):
        processes.when_available(never, lambda: next(asked))


def test_a_mistake_of_the_user_is_not_waited_for() -> None:
    def wrong() -> None:
        raise UsageError("wrong")

    with pytest.raises(UsageError):
        processes.when_available(wrong, lambda: False)
