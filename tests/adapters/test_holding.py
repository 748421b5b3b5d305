"""Slow messages of a steady flow wait for each other, at most 1.5 s; nothing else waits."""

from __future__ import annotations

import random
import select
import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from paho.mqtt.enums import CallbackAPIVersion

from adapters.mqtt import gathering
from adapters.mqtt.broker import Broker
from adapters.mqtt.bulk_client import BulkClient
from adapters.mqtt.gathering import Holding
from adapters.mqtt.link import Link
from telemetry.windows import DAY
from tests.adapters.stores.test_influx_access import certificate
from tests.conftest import ServerFactory
from tests.processes import wait_for
from tests.servers import Mosquitto

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
    assert holding.until() <= line.now + 1500
    assert not holding.holds(line.now - 3_600_000)
    line.connected = False
    assert not holding.holds(line.now)


class Wire:
    """A link whose bytes come at given times, one message each; `reads` are what wakes the program for messages."""

    def __init__(self, times: list[int]) -> None:
        self.times, self.now, self.collected, self.added = times, START, list[int](), 0
        self.waiting, self.held, self.passed, self.connected = 1, 1, 0, True

    def fileno(self) -> int:
        return 5

    def register(self, one: Any, event: int) -> None:
        assert (one, event) == (self, select.POLLIN)

    def poll(self, timeout: float) -> list[tuple[int, int]]:
        until = self.now + timeout
        if self.times and START + self.times[0] <= until:
            self.now = max(self.now, START + self.times[0])
            return [(5, select.POLLIN)]
        self.now = int(until) + 1
        return []

    def collect(self, _most: int) -> bytes:
        self.collected.append(self.times.pop(0))
        return b"x"

    def add(self, _block: bytes) -> None:
        self.waiting += 1


@pytest.mark.parametrize(
    ("times", "until", "collected"),
    [
        ([150 * n for n in range(1, 30)], 1000, [150, 300, 450, 600, 750, 900]),
        ([200 * n for n in range(1, 30)], 9000, [200, 400, 600, 800, 1000, 1200, 1400]),
        ([150] * 30, 9000, [150] * 9),
        ([501, 700], 9000, []),
    ],
    ids=["until the flush", "until they have waited long enough", "ten are enough", "it became quiet"],
)
def test_what_comes_while_messages_wait_is_read_at_the_end_with_the_times_of_its_arrival(
    times: list[int], until: int, collected: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    wire: Any = Wire(times)
    holding = Holding(wire)
    monkeypatch.setattr(gathering, "select", SimpleNamespace(poll=lambda: wire, POLLIN=select.POLLIN))
    monkeypatch.setattr(gathering, "INTERRUPTS", [])  # tests of programs leave theirs there
    holding._last, holding._since, holding._usual = START, START, 150.0
    holding._arrivals.append((1, START))
    holding.collect(START + until, lambda: wire.now, [])
    assert wire.collected == collected
    assert [at - START for at in holding.taken(wire.now)] == [0, *collected]


@pytest.mark.parametrize("version", ["3.1.1", "5"])
def test_collected_bytes_are_the_same_messages(version: str, server: ServerFactory) -> None:
    broker = Broker.parse(server(Mosquitto).url)
    link = Link(replace(broker, version=version), "reader", ["t/#"])
    wait_for(lambda: link.receive(0.1) is not None and "connected" in link.state, 20, "the subscription")
    sender = Link(broker, "sender", session=False)
    wait_for(lambda: sender.receive(0.1) is not None and sender.connected, 20, "the sender")
    payloads = [b"%d" % n * (1 + 997 * (n % 7)) for n in range(60)]
    blocks: list[bytes] = []
    for payload in payloads:
        sender.publish("t/x", payload)
        sender.receive(0.001)
        blocks += [block] if (block := link.collect(1 << 16)) else []
    while sum(map(len, blocks)) < sum(map(len, payloads)) + 7 * len(payloads):
        sender.receive(0.01)
        blocks += [block] if (block := link.collect(1 << 16)) else []
    assert link.waiting == 0
    for block in blocks:
        link.add(block)
    batch = link.received()
    assert [m.payload for m in batch] == payloads
    link.ack(batch)
    sender.publish("t/x", b"last")
    wait_for(lambda: sender.receive(0.01) is not None and bool(link.receive(0.1)), 20, "the next")
    link.close()
    sender.close()


def test_what_tls_has_read_is_collected_with_what_comes_before_it(tmp_path: Path) -> None:
    """Nothing says later that it is there: a large message would wait for the next one."""
    file = certificate(tmp_path / "server.pem")
    inner, outer = socket.socketpair()
    serving, asking = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    serving.load_cert_chain(file)
    asking.load_verify_locations(file)
    with ThreadPoolExecutor() as pool:
        other = pool.submit(serving.wrap_socket, inner, server_side=True)
        client: Any = BulkClient(CallbackAPIVersion.VERSION2)
        client._sock = asking.wrap_socket(outer, server_hostname="127.0.0.1")
        with other.result(20) as sender, client._sock:
            sender.sendall(b"x" * 9000)
            block = b""
            while not block:  # the first bytes are of the handshake
                select.select([client._sock], [], [])
                block = client.collect(4096)
    assert block == b"x" * 9000


def test_a_clock_that_is_set_back_ends_no_wait_and_loses_nothing() -> None:
    near, far = socket.socketpair()
    wire: Any = Wire([0] * 20)
    wire.fileno = near.fileno
    holding, now = Holding(wire), iter([START, START, START - 40 * DAY, START - 40 * DAY])
    holding._last, holding._since, holding._usual = START, START, 150.0
    far.send(b"x")
    holding.collect(START + 9000, lambda: next(now, START + 9000), [])
    assert (wire.waiting, len(wire.collected)) == (1 + len(wire.collected), wire.waiting - 1)
    assert wire.waiting > 1
    near.close()
    far.close()


def test_arrivals_of_messages_that_were_lost_with_their_connection_are_not_those_of_later_ones() -> None:
    line = Line([20.0 * n for n in range(40)])
    holding = Holding(cast(Any, line))
    batches(line, 700, holding)
    assert line.held > 0
    line.waiting = line.held = 0  # what `Link.abort` does, where another door could not store
    line.times, line.now = [0.0], START + 3 * DAY
    line.read()
    assert not holding.holds(line.now)
    assert holding.taken(line.now) == [START + 3 * DAY]
