"""One connection to a real broker: blocks, joined acknowledgements, and what happens when it breaks."""

from __future__ import annotations

import pytest

from adapters.mqtt.broker import Broker
from adapters.mqtt.link import Link, Message
from telemetry.errors import UsageError
from tests.conftest import ServerFactory
from tests.processes import wait_for
from tests.servers import Mosquitto


def received(link: Link, wanted: int) -> list[Message]:
    """At least `wanted` messages, unacknowledged."""
    found: list[Message] = []

    def enough() -> bool:
        found.extend(link.receive(0.1))
        return len(found) >= wanted

    wait_for(enough, 20, f"{wanted} messages")
    return found


def connected(link: Link) -> Link:
    def up() -> bool:
        link.receive(0.05)
        return link.connected

    wait_for(up, 10, "the connection")
    for _ in range(3):
        link.receive(0.05)
    return link


def send(link: Link, payloads: list[bytes]) -> None:
    """Publish and wait until the broker has them."""
    open_mids = {link.publish("bulk/x", p) for p in payloads}

    def done() -> bool:
        link.receive(0.05)
        open_mids.difference_update(link.delivered())
        return not open_mids

    wait_for(done, 20, "the broker's receipts")


def test_a_refusal_is_said_once_with_its_reason(server: ServerFactory, caplog: pytest.LogCaptureFixture) -> None:
    broker = server(Mosquitto, anonymous=False)
    link = Link(Broker("127.0.0.1", broker.port), "intruder")
    with caplog.at_level("INFO"):
        wait_for(lambda: link.receive(0.05) or link.epoch >= 3, 30, "three attempts")
    reason = "Not authorized. Check user, password and access rules."
    assert caplog.messages == [f"127.0.0.1:{broker.port} rejected intruder: {reason}"]


def test_large_messages_do_not_pile_up_before_they_are_taken(
    server: ServerFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.mqtt.link._INBOX_BYTES", 300_000)
    address = Broker("127.0.0.1", server(Mosquitto).port)
    subscriber, publisher = connected(Link(address, "sub", ["bulk/#"])), connected(Link(address, "pub"))
    send(publisher, [bytes([n]) * 100_000 for n in range(30)])
    got: list[bytes] = []

    def all_there() -> bool:
        batch = subscriber.receive(0.1)
        assert sum(len(m.payload) for m in batch) <= 400_000
        subscriber.ack(batch)
        got.extend(m.payload[:1] for m in batch)
        return len(got) >= 30

    wait_for(all_there, 20, "all of them")
    assert got == [bytes([n]) for n in range(30)]
    for link in (subscriber, publisher):
        link.close()


def test_messages_of_every_size_come_whole_and_in_order(server: ServerFactory) -> None:
    broker = server(Mosquitto)
    address = Broker("127.0.0.1", broker.port)
    subscriber, publisher = connected(Link(address, "sub", ["bulk/#"])), connected(Link(address, "pub"))
    payloads = [
        bytes([n % 251]) * size for n, size in enumerate([0, 1, 127, 128, 16383, 65533, 65536, 70000, 200_000, 5])
    ]
    send(publisher, payloads * 20)
    got = received(subscriber, len(payloads) * 20)
    assert [m.payload for m in got] == payloads * 20
    subscriber.ack(got)
    for link in (subscriber, publisher):
        link.close()


def test_what_was_acknowledged_never_comes_again_and_the_rest_does(server: ServerFactory) -> None:
    broker = server(Mosquitto)
    address = Broker("127.0.0.1", broker.port)
    first, publisher = connected(Link(address, "sub", ["bulk/#"])), connected(Link(address, "pub"))
    send(publisher, [str(n).encode() for n in range(3000)])
    got = received(first, 3000)
    first.ack(got[:1700])
    first.receive(0.1)
    first.abort()
    second = Link(address, "sub", ["bulk/#"])
    again = received(second, 1300)
    assert [m.payload for m in again] == [str(n).encode() for n in range(1700, 3000)]
    assert all(m.duplicate for m in again)
    second.ack(again)
    for link in (second, publisher):
        link.close()


def test_an_acknowledgement_for_an_earlier_connection_is_not_sent(server: ServerFactory) -> None:
    broker = server(Mosquitto)
    address = Broker("127.0.0.1", broker.port)
    link, publisher = connected(Link(address, "sub", ["bulk/#"])), connected(Link(address, "pub"))
    send(publisher, [b"one"])
    old = received(link, 1)
    link.abort()
    new = received(link, 1)
    link.ack(old)  # its number may mean another message by now
    link.receive(0.1)
    link.abort()
    assert [m.payload for m in received(link, 1)] == [m.payload for m in new] == [b"one"]
    for each in (link, publisher):
        each.close()


def test_a_link_finds_its_broker_again(server: ServerFactory) -> None:
    broker = server(Mosquitto)
    link = connected(Link(Broker("127.0.0.1", broker.port), "sub", ["bulk/#"]))
    broker.restart()

    def back() -> bool:
        link.receive(0.05)
        return link.connected

    def lost() -> bool:
        link.receive(0.05)
        return link.epoch > 1 or not link.connected

    wait_for(lost, 20, "the loss")
    wait_for(back, 30, "the connection")
    assert link.epoch > 1
    link.close()


@pytest.mark.parametrize("url", ["localhost", "http://x", "mqtt://", "mqtt:///x"])
def test_a_url_that_names_no_broker_is_refused_with_the_form_to_write(url: str) -> None:
    with pytest.raises(UsageError, match="use mqtt://host:1883"):
        Broker.parse(url)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("mqtts://user:secret@h:99999", "'mqtts://h' is not a valid broker URL, its host or its port"),
        ("mqtt://user:secret@h:x", "'mqtt://h' is not a valid broker URL, its host or its port"),
        ("mqtt://user:secret@h:0", "'mqtt://h' is not a valid broker URL, its host or its port"),
        ("mqtt://user:secret@[::1", "'mqtt://[::1' is not a valid broker URL, its host or its port"),
        ("mqtt://user:secret/secret@h", "'mqtt://h' is not a valid broker URL, its host or its port"),
        ("mqtt://user:secret", "'mqtt://user' is not a valid broker URL, its host or its port"),
        ("mqqt://user:secret@h", "'mqqt://h' is not a valid broker URL;"),
        ("mqqt://user:secret//@secret@h:1", "'mqqt://h' is not a valid broker URL;"),
        ("user:secret@h", "'h' is not a valid broker URL;"),
    ],
)
def test_a_url_that_cannot_be_read_is_a_sentence_without_its_password(url: str, shown: str) -> None:
    with pytest.raises(UsageError) as caught:
        Broker.parse(url)
    assert str(caught.value).startswith(shown)
    assert "secret" not in str(caught.value)
    assert "use mqtt://host:1883" in str(caught.value)
