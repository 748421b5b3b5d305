"""A backlog leaves no faster than ingest stores it, so that live windows can overtake it; windows of slow, regular
devices wait for each other, and everything else leaves with the next flush.
"""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from adapters.sqlite.outbox import Turn
from gateway.incoming import Incoming
from gateway.outbox import RECEIPT_MS, Flight
from gateway.pacing import LONGEST_MS, Cadence, LargeWindows, pause_ms
from gateway.senders.budget import OLD, OLD_AT_ONCE
from gateway.service import Gateway
from telemetry.partials import fold
from telemetry.readings import Readings
from telemetry.series import Series, SeriesTable
from telemetry.windows import MINUTE
from tests.gateway import cores

NOW = 1_709_294_400_000


@pytest.mark.parametrize(
    ("what", "flight", "now", "over"),
    [
        ("few windows need the broker's word only", Flight(False, set(), {7}, NOW), NOW, True),
        ("the broker's word is needed", Flight(False, {1}, set(), NOW), NOW + 60_000, False),
        ("a full flight waits for ingest", Flight(True, set(), {7}, NOW), NOW + RECEIPT_MS - 1, False),
        ("a stored one is over", Flight(True, set(), set(), NOW), NOW, True),
        ("but not forever: ingest may be unavailable", Flight(True, set(), {7}, NOW), NOW + RECEIPT_MS, True),
        ("nor when the clock is set back", Flight(True, set(), {7}, NOW), NOW - 1, True),
    ],
)
def test_the_next_flight_leaves_when(what: str, flight: Flight, now: int, over: bool) -> None:
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
        dirty, partials = core.pending(now=now, turn=Turn(large.waiting(now)))
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
    [(-5000, 0, 0), (0, 0, 0), (20, 80, 40), (300, 1200, 600), (1700, 5000, 3400), (60_000, 5000, 5000)],
)
def test_sending_has_a_share_of_the_time_but_no_window_waits_long(spent: int, busy: int, idle: int) -> None:
    assert (pause_ms(spent, False), pause_ms(spent, True)) == (busy, idle)


@pytest.mark.parametrize(
    ("spent", "idle_of_50", "readings", "gap"),
    [
        (10, 0, 1, 1000), (625, 0, 1, 2500), (2000, 0, 1, 5000), (2000, 0, 5000, 2000),
        (625, 20, 1, 2500), (250, 40, 1, 1000), (800, 50, 1, 1600), (3000, 50, 1, 5000),
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

    def pending(*_: Any, now: int, turn: Turn) -> Any:
        sent.append(now)
        skipped.append(turn.skip)
        clock[0] += spent
        return SimpleNamespace(window=range(OLD_AT_ONCE)), one  # so many that others follow with the next flush

    def wait(*_: Any, **__: Any) -> None:
        clock[0] += idle_of_50

    monkeypatch.setattr(core, "pending", pending)
    monkeypatch.setattr(core, "assign_messages", lambda *_: [])
    monkeypatch.setattr("gateway.service.wait", wait)
    answers: dict[str, Any] = {
        "received": list,
        "delivered": list,
        "rejected": list,
        "ack": lambda _: None,
        "step": lambda: None,
    }
    link: Any = SimpleNamespace(connected=True, epoch=1, waiting=0, passed=0, held=0, **answers)
    gateway = Gateway("gw", core, link, link, lambda: clock[0])
    while clock[0] < NOW + 40_000:
        gateway.step()
        clock[0] += 50 - idle_of_50
    gaps = {b - a for a, b in pairwise(sent[1:])}  # the first flush knows of no time before it
    assert all(gap <= g <= gap + 50 for g in gaps), gaps
    assert skipped[:2] == [[], [(3, 0)] if readings > 1000 else []], "a large window is not read with the next flush"


def reading(series: list[int], arrival: int) -> Readings:
    """A reading of each series that arrives at that time, ms UTC."""
    size = len(series)
    return Readings.of(series, [arrival] * size, [1.0] * size, arrival=[arrival] * size)


def may_wait(quantity: str, gaps: list[int]) -> int:
    """How long the last of these readings may wait, ms; `gaps`: ms between them."""
    table = SeriesTable()
    series, now = table.id_of(Series("aba", "s1", quantity)), NOW
    cadence = Cadence(table, MINUTE)
    cadence.note(reading([series], now))
    for gap in gaps:
        now += gap
        cadence.sent(now - 1, True)
        cadence.note(reading([series], now))
    return max(cadence.due - now, 0)


@pytest.mark.parametrize(
    ("what", "quantity", "gaps", "wait"),
    [
        ("the first reading", "no2", [], 0),
        ("the second", "no2", [30_000], 0),
        ("a regular one every 30 s", "no2", [30_000, 30_000], 15_000),
        ("a regular one every 15 s", "no2", [15_000, 15_000], 5_000),
        ("one a second", "no2", [1000, 1000], 333),
        ("a register", "energy_total", [900_000, 900_000], 15_000),
        ("jitter", "no2", [30_000, 16_000], 5_333),
        ("one that comes early", "no2", [30_000, 30_000, 14_000], 0),
        ("one that comes late", "no2", [30_000, 30_000, 61_000], 0),
        ("one of the same moment", "no2", [30_000, 30_000, 0], 0),
        ("an event, however regular", "session_energy", [30_000, 30_000], 0),
    ],
)
def test_a_reading_may_wait_half_of_its_interval(what: str, quantity: str, gaps: list[int], wait: int) -> None:
    assert may_wait(quantity, gaps) == wait, what


def test_the_reading_that_may_wait_least_decides() -> None:
    table = SeriesTable()
    slow, fast = (table.id_of(Series("aba", device, "no2")) for device in ("slow", "fast"))
    cadence = Cadence(table, MINUTE)
    for second in range(61):
        cadence.note(reading([fast, slow] if second % 30 == 0 else [fast], NOW + 1000 * second))
        if second == 59:
            cadence.sent(NOW + 1000 * second, True)
    assert cadence.due == NOW + 60_333


def test_a_busy_gateway_is_paced_by_its_flushes_alone() -> None:
    table = SeriesTable()
    series = [table.id_of(Series("aba", f"s{n}", "no2")) for n in range(201)]
    cadence = Cadence(table, MINUTE)
    for second in (0, 30, 60):
        cadence.sent(NOW, True)
        cadence.note(reading(series, NOW + 1000 * second))
    assert cadence.due == 0


def at_second(second: int) -> Incoming:
    """A reading that says when it was measured."""
    at = NOW + 1000 * second
    return Incoming("cv/1/aba/s1/data", json.dumps([{"n": "no2", "v": second, "t": at / 1000}]).encode(), at)


def test_windows_leave_when_the_first_of_them_is_due(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A device every 30 s: from its third reading on, each leaves ten seconds later; health takes all with it."""
    monkeypatch.setattr("gateway.service.wait", lambda *_, **__: None)
    clock, sent = [NOW], list[tuple[int, list[int]]]()
    mids: list[int] = []

    def publish(_topic: str, payload: bytes) -> int:
        sent.append(((clock[0] - NOW) // 1000, json.loads(payload)["n"]))
        mids.append(len(sent))
        return len(sent)

    answers: dict[str, Any] = {
        "received": list, "rejected": list, "ack": lambda _: None, "step": lambda: None, "publish": publish,
    }  # fmt: skip
    link: Any = SimpleNamespace(connected=True, epoch=1, waiting=0, passed=0, held=0, delivered=lambda: mids, **answers)
    core = cores.make(tmp_path)
    gateway = Gateway("gw", core, link, link, lambda: clock[0], health_ms=10_000_000)
    for second in range(150):
        clock[0] = NOW + 1000 * second
        if second % 30 == 0:
            core.accept([at_second(second)], clock[0])
        gateway.step()
    assert [at for at, _ in sent] == [0, 30, 75, 105, 135]
    core.accept([at_second(150)], NOW + 150_000)
    clock[0] = NOW + 151_000
    gateway._next_health = 0
    gateway.step()
    assert sent[-1][0] == 151, "the gateway's own counts are its heartbeat"
    assert core.cadence.due == NOW + 151_000 + LONGEST_MS
    gateway._stored(SimpleNamespace(topic="cv/1/aba/gw/stored", payload=b"[9000000000000]"))  # type: ignore[arg-type]
    assert core.cadence.due == 0, "windows that were lost on the way leave with the next flush"
