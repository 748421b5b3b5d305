"""A backlog leaves no faster than ingest stores it, so that live windows can overtake it."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from gateway.incoming import Incoming
from gateway.large_windows import LargeWindows
from gateway.senders.budget import OLD, OLD_AT_ONCE
from gateway.service import _FLIGHT, _RECEIPT_MS, Gateway, _Flight, pause_ms
from telemetry.partials import fold
from telemetry.readings import Readings
from tests.gateway import cores

NOW = 1_709_294_400_000


@pytest.mark.parametrize(
    ("what", "flight", "now", "over"),
    [
        ("few windows need the broker's word only", _Flight(5, set(), {7}, NOW), NOW, True),
        ("the broker's word is needed", _Flight(5, {1}, set(), NOW), NOW + 60_000, False),
        ("a full flight waits for ingest", _Flight(_FLIGHT, set(), {7}, NOW), NOW + _RECEIPT_MS - 1, False),
        ("a stored one is over", _Flight(_FLIGHT, set(), set(), NOW), NOW, True),
        ("but not forever: ingest may be unavailable", _Flight(_FLIGHT, set(), {7}, NOW), NOW + _RECEIPT_MS, True),
        ("nor when the clock is set back", _Flight(_FLIGHT, set(), {7}, NOW), NOW - 1, True),
    ],
)
def test_the_next_flight_leaves_when(what: str, flight: _Flight, now: int, over: bool) -> None:
    assert flight.over(now) is over, what


def pack(minutes: int, before: int) -> Incoming:
    """Readings of so many minutes in a row, up to `before`, ms UTC."""
    records = [{"n": "no2", "v": 1, "t": before / 1000 - 60 * i} for i in range(minutes)]
    return Incoming("cv/1/aba/s1/data", json.dumps(records).encode())


def test_of_old_windows_few_leave_at_once_and_live_ones_first(tmp_path: Path) -> None:
    """Ingest reads the hour of each old window, and live ones wait behind them in the queue of the central broker."""
    core = cores.make(tmp_path)
    core.accept([pack(3000, NOW - OLD - 60_000), pack(1500, NOW)], NOW)
    first, _ = core.pending(20_000, now=NOW)
    assert (len(first.window), int(first.window.min())) == (1500, NOW - 1499 * 60_000)
    core.confirm(first)
    left = []
    while len(dirty := core.pending(20_000, now=NOW)[0].window):
        left.append(len(dirty))
        core.confirm(core.pending(20_000, now=NOW)[0])
    assert left == [OLD_AT_ONCE] * 3
    core.accept([pack(3000, NOW - 2 * OLD), pack(10, NOW + 600_000)], NOW + 600_000)
    mixed, _ = core.pending(20_000, now=NOW)
    assert len(mixed.window) == OLD_AT_ONCE
    assert sorted(mixed.window.tolist())[-10] == NOW + 60_000


def test_a_window_of_many_readings_is_not_read_with_every_flush(tmp_path: Path) -> None:
    """One sender's open window must not delay the windows of the others."""
    core, large, shares = cores.make(tmp_path), LargeWindows(), list[float]()
    window = NOW // 60_000 * 60_000

    def flush(now: int) -> list[tuple[str, int]]:
        dirty, partials = core.pending(now=now, skip=large.waiting(now))
        shares.append(large.note(partials, now))
        core.confirm(dirty)
        return [(core.buffer.table[s].device, n) for s, n in zip(partials.series, partials.n, strict=True)]

    def one(device: str, at: int) -> Incoming:
        return cores.pack(1.0, (cores.ARRIVAL - at) / 1000, device=device)

    core.accept([one("s1", window + 10 * i) for i in range(5000)] + [one("s2", window)], NOW)
    assert flush(NOW) == [("s1", 5000), ("s2", 1)]
    assert shares == [1 / 5001], "the pause after a flush counts what is not in large windows"
    core.accept([one("s1", window + 50_001), one("s2", window + 1)], NOW)
    assert flush(NOW + 1000) == [("s2", 2)]
    assert flush(NOW + 4999) == []
    assert flush(NOW + 5000) == [("s1", 5001)]
    core.accept([one("s1", window + 50_002)], NOW)
    assert flush(NOW - 3_600_000) == [("s1", 5002)], "a clock that is set back ends the wait"
    core.accept([one("s1", window + 50_003)], NOW)
    assert core.pending()[1].n.tolist() == [5003], "recorded readings are sent whole"


@pytest.mark.parametrize(("readings", "wait"), [(1000, 0), (1001, 1001), (15_000, 15_000), (2_000_000, 15_000)])
def test_a_large_window_waits_a_millisecond_a_reading(readings: int, wait: int) -> None:
    large = LargeWindows()
    t = np.arange(readings, dtype=np.int64)
    one = fold(Readings.of(np.full(readings, 3), t, t.astype(np.float64)), 1 << 40, np.full(readings, np.nan))
    one = replace(one, start=np.array([NOW]))
    assert large.note(one, NOW) == (0.0 if wait else 1.0)
    assert large.waiting(NOW + wait - 1) == ([(3, NOW)] if wait else [])
    assert large.waiting(NOW + wait) == []


@pytest.mark.parametrize(
    ("spent", "busy", "idle"),
    [(-5000, 0, 0), (0, 0, 0), (20, 200, 80), (300, 3000, 1200), (700, 5000, 2800), (60_000, 5000, 5000)],
)
def test_sending_has_a_share_of_the_time_but_no_window_waits_long(spent: int, busy: int, idle: int) -> None:
    assert (pause_ms(spent, False), pause_ms(spent, True)) == (busy, idle)


@pytest.mark.parametrize(
    ("spent", "idle_of_50", "readings", "gap"),
    [
        (10, 0, 1, 1000), (250, 0, 1, 2500), (2000, 0, 1, 5000), (2000, 0, 5000, 2000),
        (250, 20, 1, 2500), (250, 40, 1, 1000), (400, 50, 1, 1600), (2000, 50, 1, 5000),
    ],
)  # fmt: skip
def test_flushes_follow_what_they_cost(
    spent: int, idle_of_50: int, readings: int, gap: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each flush reads one window of so many `readings`, for `spent` ms; reading a large one delays no other window.

    `idle_of_50`: of every 50 ms between flushes, those that pass in waiting for messages.
    """
    core, clock, sent, skipped = cores.make(tmp_path), [NOW], list[int](), list[Any]()
    t = np.arange(readings, dtype=np.int64)
    one = fold(Readings.of(np.full(readings, 3), t, t.astype(np.float64)), 1 << 40, np.full(readings, np.nan))

    def pending(*_: Any, now: int, skip: Any) -> Any:
        sent.append(now)
        skipped.append(skip)
        clock[0] += spent
        return None, one

    def wait(*_: Any, **__: Any) -> None:
        clock[0] += idle_of_50

    monkeypatch.setattr(core, "pending", pending)
    monkeypatch.setattr(core, "assign_messages", lambda *_: [])
    monkeypatch.setattr("gateway.service.wait", wait)
    answers: dict[str, Any] = {"received": list, "delivered": list, "ack": lambda _: None, "step": lambda: None}
    link: Any = SimpleNamespace(connected=True, epoch=1, **answers)
    gateway = Gateway("gw", core, link, link, lambda: clock[0])
    while clock[0] < NOW + 40_000:
        gateway.step()
        clock[0] += 50 - idle_of_50
    gaps = {b - a for a, b in pairwise(sent[1:])}  # the first flush knows of no time before it
    assert all(gap <= g <= gap + 50 for g in gaps), gaps
    assert skipped[:2] == [[], [(3, 0)] if readings > 1000 else []], "a large window is not read with the next flush"
