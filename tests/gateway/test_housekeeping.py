"""What the gateway reports of its ledger after a full disk or a clock that was set."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gateway.core import Core, Incoming
from gateway.outbox import Flight
from gateway.service import Gateway
from telemetry.errors import Unavailable
from telemetry.windows import DAY, HOUR, MINUTE
from tests.gateway import cores

NOW = cores.ARRIVAL


class Silent:
    """A link without a network: always connected, nothing ever comes."""

    connected, broker, epoch = True, "nowhere", 1
    drops = passed = 0

    def received(self) -> list[Any]:
        return []

    def ack(self, messages: object) -> None:
        pass

    def delivered(self) -> list[int]:
        return []

    def rejected(self) -> list[int]:
        return []

    def publish(self, topic: str, payload: bytes) -> int:
        return 1

    def step(self) -> None:
        pass

    def abort(self) -> None:
        self.drops += 1


class Bench:
    """A gateway whose clock is in the test's hand."""

    def __init__(self, folder: Path) -> None:
        self.core: Core = cores.make(folder)
        self.inbox = Silent()
        self.uplink = Silent()
        self.now = NOW
        inbox: Any = self.inbox
        uplink: Any = self.uplink
        self.gateway = Gateway("gw", self.core, inbox, uplink, lambda: self.now)

    def send(self, *seqs: int) -> None:
        body = ",".join(f'{{"n":"no2","v":1,"bt":{self.now / 1000 - 1},"boot":1,"seq":{s}}}' for s in seqs)
        self.core.accept([Incoming("cv/1/aba/s1/data", f"[{body}]".encode())], self.now)

    def reported(self) -> list[float]:
        """The values of ledger_received that were written, oldest first."""
        names = self.core.buffer.table.all
        own = [i for i, s in enumerate(names) if s.quantity == "ledger_received"]
        sql = f"SELECT value FROM every_reading WHERE series IN ({','.join(map(str, own))}) ORDER BY t"
        return [v for (v,) in self.core.buffer.db.execute(sql)]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_what_could_not_be_reported_while_the_disk_was_full_is_reported_later(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.send(0)
    bench.core.ledger.report(None)
    bench.now += MINUTE

    def full(_readings: object) -> int:
        raise Unavailable("full")

    with monkeypatch.context() as patch:
        patch.setattr(bench.core.buffer, "put", full)
        bench.gateway._housekeeping(bench.now)
    bench.now += HOUR
    bench.gateway._housekeeping(bench.now)
    assert bench.reported() == [1]


def test_a_device_that_falls_silent_when_the_clock_is_set_back_is_reported(bench: Bench) -> None:
    bench.now += 3 * HOUR
    bench.gateway._housekeeping(bench.now)
    bench.now -= 3 * HOUR
    bench.send(0)
    bench.core.ledger.report(None)
    bench.gateway._housekeeping(bench.now)
    assert bench.reported() == [1]


def test_a_broker_that_sends_messages_for_other_gateways_is_not_silent(bench: Bench) -> None:
    bench.gateway._heard = bench.now
    for bench.inbox.passed in range(1, 5):
        bench.now += 200_000
        bench.gateway._reconnect_silent_source()
    assert bench.inbox.drops == 0
    bench.now += 300_001
    bench.gateway._reconnect_silent_source()
    assert bench.inbox.drops == 1


@pytest.mark.parametrize("moment", [300_001, -300 * HOUR])
def test_a_silent_broker_is_left_also_when_the_clock_was_set_back(bench: Bench, moment: int) -> None:
    bench.gateway._heard = bench.now
    bench.now += 299_000
    bench.gateway._reconnect_silent_source()
    assert bench.inbox.drops == 0
    bench.now = NOW + moment
    bench.gateway._reconnect_silent_source()
    assert bench.inbox.drops == 1
    bench.gateway._reconnect_silent_source()
    assert bench.inbox.drops == 1


def test_a_clock_that_is_years_ahead_for_a_moment_does_not_empty_the_buffer(bench: Bench) -> None:
    for moment in range(3):
        bench.send(moment)
        dirty, _ = bench.core.pending()
        bench.core.confirm(dirty)
        bench.now += MINUTE
    bench.gateway._housekeeping(bench.now)
    bench.now += 3650 * DAY
    for _ in range(5):
        bench.now += 2 * MINUTE
        bench.core.accept([Incoming("cv/1/aba/s2/data", b'[{"n":"no2","v":1}]')], bench.now)
        bench.core.confirm(bench.core.pending()[0])
        bench.gateway._housekeeping(bench.now)
    bench.now = NOW + 15 * MINUTE
    bench.send(3)
    assert cores.reasons(bench.core) == []
    assert bench.core.buffer.pruned_before == 0


def test_what_is_old_goes_though_the_gateway_was_off_for_long(bench: Bench) -> None:
    bench.send(0)
    dirty, _ = bench.core.pending()
    bench.core.confirm(dirty)
    bench.gateway.keep_ms = 2 * DAY
    bench.now += 3 * DAY
    for _ in range(30):
        bench.now += MINUTE
        bench.gateway._housekeeping(bench.now)
        bench.core.confirm(bench.core.pending()[0])
    assert cores.readings(bench.core)[0][2] < 0
    assert bench.core.buffer.pruned_before >= NOW


def test_a_broker_that_was_away_is_not_left_as_soon_as_it_is_back(bench: Bench) -> None:
    """The first message or acknowledgement of a new connection comes later than the connection."""
    source, uplink = bench.inbox, bench.uplink
    bench.gateway._heard = bench.now
    bench.gateway._flight = Flight(False, {1}, {1}, bench.now)
    for connected in (False, True):
        source.connected = uplink.connected = connected
        for _ in range(20):
            bench.gateway._reconnect_silent_source()
            bench.gateway._process_receipts()
            bench.now += 1000 if connected else 20_000
        assert (source.drops, uplink.drops) == (0, 0)
    for _ in range(20):
        bench.gateway._reconnect_silent_source()
        bench.gateway._process_receipts()
        bench.now += MINUTE
    assert source.drops == 1
    assert uplink.drops >= 1
