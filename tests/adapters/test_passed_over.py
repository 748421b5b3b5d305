"""Messages for somebody else are acknowledged unread, in the order in which all came, and are never redelivered."""

from __future__ import annotations

import random

import pytest

from adapters.mqtt.broker import Broker
from adapters.mqtt.link import Link, Message
from tests.adapters.test_mqtt import connected, received
from tests.adapters.test_publishes import PINGRESP, PUBACK, Socket, blocks_of, publish
from tests.conftest import ServerFactory
from tests.processes import wait_for
from tests.servers import Mosquitto


def is_foreign(topic: str) -> bool:
    return "other" in topic


class Wire(Socket):
    """A socket that keeps what is written to it."""

    def __init__(self, blocks: list[bytes]) -> None:
        super().__init__(blocks)
        self.sent = b""

    def send(self, data: bytes) -> int:
        """Keep it."""
        self.sent += data
        return len(data)

    def acknowledged(self) -> list[int]:
        """The packet identifiers of the PUBACKs so far."""
        packets = [self.sent[n : n + 4] for n in range(0, len(self.sent), 4)]
        assert all(packet[:2] == b"\x40\x02" for packet in packets)
        return [int.from_bytes(packet[2:], "big") for packet in packets]


def on(wire: Wire, version: str) -> Link:
    """A link that is connected to it."""
    link = Link(Broker("127.0.0.1", 1, version=version), "reader", foreign=is_foreign)
    link._client._sock = wire  # type: ignore[assignment]
    link.connected, link.epoch = True, 1
    return link


@pytest.mark.parametrize("version", ["3.1.1", "5"])
@pytest.mark.parametrize("seed", range(20))
def test_acknowledgements_keep_the_order_of_the_messages(version: str, seed: int) -> None:
    rng, five = random.Random(f"{version} {seed}"), version == "5"
    data, order, mine = b"", list[int](), list[tuple[str, bytes]]()
    for mid in range(1, rng.randrange(2, 300)):
        foreign, qos = rng.random() < rng.choice([0.1, 0.5, 0.95]), int(rng.random() < 0.8)
        topic = f"t/{'other' if foreign else 'mine'}{rng.randrange(5)}/ä" + rng.choice(["", "l" * 200])
        payload = rng.randbytes(rng.choice([0, 1, 100, 127, 16_384, 70_000]))
        data += publish(topic, payload, qos, mid if qos else 0, properties=b"\x01\x01" if five else None)
        data += rng.choice([b"", b"", PINGRESP, PUBACK])
        order += [mid] * qos
        if not foreign:
            mine.append((topic, payload))
    wire = Wire(blocks_of(data, rng))
    link, waiting, got, limit = on(wire, version), list[Message](), list[Message](), rng.choice([1, 7, 2000])
    batch: list[Message] = []
    while batch or wire.blocks or link._client.has_unread:
        link._read(limit)
        batch = link.received(limit)
        got += batch
        waiting += batch
        if waiting and rng.random() < 0.5:
            count = rng.randrange(1, len(waiting) + 1)
            link.ack(waiting[:count])
            waiting = waiting[count:]
        link._flush()
        done = wire.acknowledged()
        assert done == order[: len(done)]
        assert not {m.mid for m in waiting if m.qos} & set(done)
    link.ack(waiting)
    assert wire.acknowledged() == order
    assert [(m.topic, m.payload) for m in got] == mine
    assert sum(m.passed for m in got if m.qos) <= link.passed


def test_what_was_passed_over_is_reported_with_the_next_message() -> None:
    """Each of them had a packet identifier, by which redelivered messages are recognised."""
    data = b"".join(publish("mine" if mid % 5 == 0 else "other", b"x", 1, mid) for mid in range(1, 21))
    link = on(Wire([data]), "3.1.1")
    link._read(2000)
    assert [(m.mid, m.passed) for m in link.received()] == [(5, 4), (10, 4), (15, 4), (20, 4)]
    assert link.passed == 16


def test_a_stream_of_messages_for_others_does_not_keep_the_link_from_its_other_work() -> None:
    data = publish("other", b"x" * 100, 1, 7) * 600
    wire = Wire([data] * 50)
    link = on(wire, "3.1.1")
    link._read(2000)
    assert 2000 < link.passed < 4000
    assert len(wire.blocks) > 40


def test_acknowledgements_of_an_earlier_connection_are_forgotten() -> None:
    wire = Wire([publish("mine", b"1", 1, 1) + publish("other", b"2", 1, 2)])
    link = on(wire, "3.1.1")
    link._read(2000)
    old = link.received()
    link._client._clear()  # as a new connection does
    link.epoch, link._open = 2, 0
    wire.blocks.append(publish("other", b"3", 1, 3))
    link._read(2000)
    link.ack(old)
    assert wire.acknowledged() == [3]


@pytest.mark.parametrize("version", ["3.1.1", "5"])
def test_a_broker_delivers_none_of_them_again(server: ServerFactory, version: str) -> None:
    broker = Broker("127.0.0.1", server(Mosquitto).port, version=version)
    link = connected(Link(broker, "sub", ["bulk/#"], foreign=is_foreign))
    publisher = connected(Link(broker, "pub"))
    names = ["mine" if n % 3 == 0 else "other" for n in range(3000)]
    sent = {publisher.publish(f"bulk/{name}", str(n).encode()) for n, name in enumerate(names)}

    def taken() -> bool:
        publisher.receive(0.05)
        sent.difference_update(publisher.delivered())
        return not sent

    wait_for(taken, 20, "the broker's receipts")
    got = received(link, 1000)
    assert [int(m.payload) for m in got] == list(range(0, 3000, 3))
    wait_for(lambda: bool(link.receive(0.05)) or link.passed == 2000, 20, "the others")
    link.ack(got[:400])
    link.receive(0.1)
    link.abort()
    rest = Link(broker, "sub", ["bulk/#"])  # which takes all
    again = received(rest, 3000 - 1200 + 2)
    assert [int(m.payload) for m in again] == list(range(1198, 3000))  # each belongs to the message after it
    assert all(m.duplicate for m in again)
    rest.ack(again)
    for each in (rest, publisher):
        each.close()
