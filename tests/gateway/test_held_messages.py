"""Slow messages are committed together: fewer commits, and no window of a regular device leaves later for it."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from adapters.mqtt.publishes import Message
from adapters.sqlite.buffer import Buffer
from gateway.core import Core, Incoming, Source
from gateway.service import Gateway
from telemetry.windows import DAY, MINUTE
from telemetry.wire import decode
from tests.gateway import cores

START = 1_709_294_400_000
FLAT = Source("flat/{device}", "flat_json", city="aba", options=cores.KEYED)


class City:
    """A gateway on a clock of its own. `accepted`: when each batch was committed, ms, and its size; `acknowledged`: by
    then; `sent`: when each device's windows left.
    """

    def __init__(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, messages: list[tuple[int, str]], open_windows: bool = True
    ) -> None:
        self.now, self.messages = START, sorted(messages)
        self.accepted, self.acknowledged, self.sent = list[tuple[int, int]](), list[int](), dict[str, list[int]]()
        self._waiting, self._mids = list[Message](), list[int]()
        self.core = Core(Buffer(folder / "gateway.db", MINUTE), [FLAT, cores.SENML], open_windows=open_windows)
        monkeypatch.setattr("gateway.service.wait", self._wait)
        self._accept = self.core.accept
        monkeypatch.setattr(self.core, "accept", self._accepts)
        answers: dict[str, Any] = {"ack": self._ack, "step": lambda: None, "close": lambda: None, "read": lambda: None}
        state: Any = SimpleNamespace(
            connected=True, epoch=1, waiting=0, passed=0, held=0, is_quiet=False, delivered=list, **answers
        )
        source: Any = SimpleNamespace(**vars(state), received=self._received)
        self.source = source
        sending = {"delivered": lambda: self._mids, "rejected": list, "received": list, "publish": self._publish}
        link: Any = SimpleNamespace(**{**vars(state), **sending})
        self.gateway = Gateway("gw", self.core, source, link, lambda: self.now, health_ms=DAY)
        self.gateway._next_health = START + DAY

    def _wait(self, _links: object, timeout: float, also: object) -> None:
        """Until a message comes or the time is over."""
        until = self.now + max(round(1000 * timeout), 1)
        if self.messages and self.messages[0][0] + START <= until:
            until = max(self.messages[0][0] + START, self.now)
        self.now = until
        while self.messages and self.messages[0][0] + START <= self.now:
            _, device = self.messages.pop(0)
            number = len(self.messages) + 1
            payload = json.dumps({"pm2_5": float(number % 50)}).encode()
            self._waiting.append(Message(f"flat/{device}", payload, False, False, number, 1, 1, "in"))
        self.source.waiting = len(self._waiting)

    def _received(self) -> list[Message]:
        batch, self._waiting, self.source.waiting, self.source.held = self._waiting, [], 0, 0
        return batch

    def _accepts(self, messages: list[Incoming], arrival: int) -> Any:
        counts = self._accept(messages, arrival)
        self.accepted.append((self.now - START, len(messages)))
        return counts

    def _ack(self, batch: list[Message]) -> None:
        if batch:
            assert sum(size for _, size in self.accepted) >= len(self.acknowledged) + len(batch), "after the commit"
            self.acknowledged += [m.mid for m in batch]

    def _publish(self, _topic: str, payload: bytes) -> int:
        _, _, partials = decode(payload, self.core.buffer.table)
        for device in {self.core.buffer.table[series].device for series in partials.series.tolist()}:
            self.sent.setdefault(device, []).append(self.now - START)
        self._mids.append(len(self._mids) + 1)
        return self._mids[-1]

    def run(self, until: int) -> None:
        """Work until this time, ms, then stop."""
        self.gateway.run(lambda: self.now >= START + until)


def air(devices: int, every: int, until: int) -> list[tuple[int, str]]:
    """Messages of each device `every` ms, evenly over that time."""
    return [(at + every * n // devices, f"s{n}") for n in range(devices) for at in range(0, until, every)]


def test_messages_of_200_devices_every_30_seconds_are_a_commit_of_ten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    city = City(tmp_path, monkeypatch, messages := air(200, 30_000, 180_000))
    city.run(181_000)
    assert sum(size for _, size in city.accepted) == len(messages) == len(city.acknowledged) == 1200
    known = [size for at, size in city.accepted if at > 90_000]
    assert len(known) <= 66, "sixty of ten, and before each of six flushes fewer"
    db = city.core.buffer.db
    times = [t - START for (t,) in db.execute("SELECT t FROM every_reading ORDER BY t").fetchall()]
    assert times == sorted(at for at, _ in messages), "dated by its arrival, not by the commit"


def test_a_device_that_comes_unexpectedly_leaves_after_a_second_and_a_half(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    news = [(t, f"n{t}") for t in range(100_250, 112_000, 1370)]
    city = City(tmp_path, monkeypatch, [*air(200, 30_000, 120_000), *news])
    city.run(120_000)
    late = {device: city.sent[device][0] - at for at, device in news}
    assert all(0 <= wait <= 1500 for wait in late.values()), late


def test_a_gateway_that_stops_has_committed_what_it_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    city = City(tmp_path, monkeypatch, messages := air(200, 30_000, 60_000))
    city.run(20_460)
    assert city.source.waiting == 0
    came = sum(at <= city.now - START for at, _ in messages)
    assert len(city.acknowledged) == sum(size for _, size in city.accepted) == came > 130


def test_what_another_door_delivers_is_not_kept_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    city = City(tmp_path, monkeypatch, air(200, 30_000, 60_000))
    city.run(20_460)
    before = city.accepted[-1]
    city.gateway.step()
    assert city.source.held
    city.gateway.inbox.deliver([Incoming("flat/s1", b'{"pm2_5": 3}')])
    city.gateway.step()
    assert not city.source.held
    assert [size for at, size in city.accepted if at > before[0]][-1] == 1


def test_without_open_windows_regular_ones_leave_when_they_close_and_others_with_the_next_flush(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    regular = air(20, 30_000, 400_000)
    news = [(310_450, "n1"), (333_270, "n2")]
    city = City(tmp_path, monkeypatch, [*regular, *news], open_windows=False)
    city.gateway.health_ms, city.gateway._next_health = 60_000, 0
    city.run(400_000)
    flushes = sorted({at for times in city.sent.values() for at in times if at > 120_000})
    assert [at // 1000 for at in flushes] == [180, 240, 300, 311, 334, 360]
    assert [city.sent[device][0] - at <= 1000 for at, device in news] == [True, True]
