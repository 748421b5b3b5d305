"""A message without time and number that its broker redelivers is stored once; one that is sent twice, twice.

Between the commit and the PUBACK the connection, the gateway or the broker ends. The broker is Mosquitto.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from adapters.mqtt.broker import Broker
from adapters.mqtt.link import Link, Message
from adapters.sqlite.buffer import Buffer
from gateway.core import Core, Incoming, Source
from telemetry.errors import Unavailable
from tests.conftest import ServerFactory
from tests.processes import end, free_port, start, wait_for
from tests.servers import Mosquitto

NOW = 1_700_000_000_000
TOPIC = "cv/1/town/m/flat"


def core(folder: Path) -> Core:
    return Core(Buffer(folder / "gateway.db", 60_000), [Source("cv/1/{city}/{device}/flat", "flat_json")])


def values(made: Core) -> list[float]:
    return [row[0] for row in made.buffer.db.execute("SELECT value FROM every_reading ORDER BY value").fetchall()]


class Place(NamedTuple):
    """A broker, and what restarts it with its data."""

    port: int
    restart: Callable[[], None]


@pytest.fixture
def place(server: ServerFactory) -> Place:
    broker = server(Mosquitto)
    return Place(broker.port, broker.restart)


def nothing() -> None:
    """For a broker that is not restarted."""


class Receiver:
    """A gateway's core at a broker, without its process."""

    def __init__(self, place: Place, made: Core, filters: str = "cv/1/+/+/flat", version: str = "3.1.1") -> None:
        self.core = made
        self.waiting: list[Message] = []
        self.link = Link(Broker("127.0.0.1", place.port, version=version), "gw-in", [filters])
        wait_for(self._subscribed, 20, "the subscription")

    def _subscribed(self) -> bool:
        self.waiting += self.link.receive(0.05)
        return self.link.state.startswith("connected")

    def receive(self, wanted: int) -> list[Message]:
        """That many messages, neither stored nor acknowledged."""

        def enough() -> bool:
            self.waiting += self.link.receive(0.1)
            return len(self.waiting) >= wanted

        wait_for(enough, 20, f"{wanted} messages")
        return self.waiting

    def store(self, wanted: int, acknowledge: bool) -> list[Message]:
        """Store that many messages, and the rest of what is there; the broker hears of it or not."""
        found, self.waiting = self.receive(wanted), []
        self.core.accept([Incoming(m.topic, m.payload, retain=m.retain, delivery=m) for m in found], NOW)
        if acknowledge:
            self.link.ack(found)
        return found

    def restarted(self, place: Place, folder: Path, version: str = "3.1.1") -> Receiver:
        """The same gateway after a kill."""
        self.link.abort()
        self.core.buffer.close()
        return Receiver(place, core(folder), version=version)


def publish(place: Place, payloads: list[bytes], topic: str = TOPIC) -> None:
    link = Link(Broker("127.0.0.1", place.port), "sender", session=False)
    wait_for(lambda: link.receive(0.05) or link.connected, 20, "the sender")
    waiting = {link.publish(topic, payload) for payload in payloads}

    def taken() -> bool:
        link.receive(0.05)
        waiting.difference_update(link.delivered())
        return not waiting

    wait_for(taken, 20, "the broker's receipts")
    link.close()


@pytest.mark.parametrize("version", ["3.1.1", "5"])
def test_what_was_stored_before_a_lost_puback_is_stored_once(place: Place, tmp_path: Path, version: str) -> None:
    gateway = Receiver(place, core(tmp_path), version=version)
    publish(place, [b'{"power": 1}', b'{"power": 2}'])
    gateway.store(2, acknowledge=False)
    again = gateway.restarted(place, tmp_path, version)
    redelivered = again.store(2, acknowledge=False)
    assert [m.duplicate for m in redelivered] == [True, True]
    third = again.restarted(place, tmp_path, version)  # and once more
    third.store(2, acknowledge=True)
    assert values(third.core) == [1.0, 2.0]
    counted = third.core.buffer.counters()
    assert counted["gw_stored"] == 2
    assert counted["gw_duplicate"] == 4


def test_over_a_restart_of_the_broker_too(place: Place, tmp_path: Path) -> None:
    gateway = Receiver(place, core(tmp_path))
    publish(place, [b'{"power": 1}'])
    gateway.store(1, acknowledge=False)
    gateway.link.abort()
    place.restart()
    again = gateway.restarted(place, tmp_path)
    assert again.store(1, acknowledge=True)[0].duplicate
    assert values(again.core) == [1.0]


def test_a_message_that_is_sent_twice_is_stored_twice(place: Place, tmp_path: Path) -> None:
    gateway = Receiver(place, core(tmp_path))
    publish(place, [b'{"power": 5}', b'{"power": 5}'])
    gateway.store(2, acknowledge=False)
    again = gateway.restarted(place, tmp_path)
    publish(place, [b'{"power": 5}'])
    again.store(3, acknowledge=True)
    assert values(again.core) == [5.0, 5.0, 5.0]


def test_what_was_received_and_not_stored_is_stored_when_it_is_redelivered(place: Place, tmp_path: Path) -> None:
    gateway = Receiver(place, core(tmp_path))
    publish(place, [b'{"power": 7}', b'{"power": 7}'])
    gateway.receive(2)
    again = gateway.restarted(place, tmp_path)
    assert [m.duplicate for m in again.store(2, acknowledge=True)] == [True, True]
    assert values(again.core) == [7.0, 7.0]


def test_a_refused_message_is_kept_once(place: Place, tmp_path: Path) -> None:
    gateway = Receiver(place, core(tmp_path))
    publish(place, [b'{"power": "much"}'])
    gateway.store(1, acknowledge=False)
    again = gateway.restarted(place, tmp_path)
    again.store(1, acknowledge=True)
    assert len(again.core.buffer.rejects.newest(10)) == 1


def test_a_new_session_uses_packet_identifiers_again(tmp_path: Path, server: ServerFactory) -> None:
    """The broker has lost everything; of the new session the first message has the identifier of the old one."""
    broker = server(Mosquitto)
    place = Place(broker.port, nothing)
    gateway = Receiver(place, core(tmp_path))
    publish(place, [b'{"power": 3}'])
    before = gateway.store(1, acknowledge=True)
    gateway.link.abort()
    broker.kill()
    for kept in broker.folder.glob("mosquitto.db*"):
        kept.unlink()
    broker.start()
    second = gateway.restarted(place, tmp_path)
    publish(place, [b'{"power": 3}'])
    assert second.receive(1)[0].mid == before[0].mid
    second.link.abort()  # before anything of this connection was stored
    second.waiting.clear()
    assert second.store(1, acknowledge=True)[0].duplicate
    assert values(second.core) == [3.0, 3.0]


def test_the_broker_of_the_demo_forgets_what_was_not_acknowledged(tmp_path: Path) -> None:
    """amqtt, where no Mosquitto is: it redelivers nothing. Nothing is stored twice, and what follows arrives."""
    port = free_port()
    code = f"from cityvitals.local.broker import run_amqtt; run_amqtt({port})"
    process = start([sys.executable, "-c", code], log=tmp_path / "amqtt.log")
    place = Place(port, nothing)
    gateway = Receiver(place, core(tmp_path))
    publish(place, [b'{"power": 1}', b'{"power": 2}'])
    gateway.store(2, acknowledge=False)
    again = gateway.restarted(place, tmp_path)
    publish(place, [b'{"power": 3}'])
    again.store(1, acknowledge=True)
    assert values(again.core) == [1.0, 2.0, 3.0]
    end(process)


# -- without a broker ------------------------------------------------------------------------------------------------


def delivery(mid: int, again: bool = False, connection: int = 1, session: int = 0, who: str = "gw") -> Message:
    return Message(TOPIC, b'{"power": 1}', False, again, mid, 1, connection, who, session)


def incoming(message: Message) -> Incoming:
    return Incoming(message.topic, message.payload, delivery=message)


def test_both_copies_may_be_in_one_batch(tmp_path: Path) -> None:
    made = core(tmp_path)
    made.accept([incoming(delivery(1)), incoming(delivery(1, again=True, connection=2))], NOW)
    assert values(made) == [1.0]


def test_a_batch_that_could_not_be_written_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = core(tmp_path)

    def full(*_: object) -> None:
        raise Unavailable("disk full")

    with monkeypatch.context() as broken:
        broken.setattr(made.buffer, "count", full)
        with pytest.raises(Unavailable):
            made.accept([incoming(delivery(1))], NOW)
    made.accept([incoming(delivery(1, again=True, connection=2))], NOW)
    assert values(made) == [1.0]


@pytest.mark.parametrize("connection", [1, 2])
def test_a_batch_that_could_not_be_written_forgets_nothing_of_those_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, connection: int
) -> None:
    """The session began with a connection of this process; what is on disk belongs to it, whatever failed since."""
    made = core(tmp_path)
    made.accept([incoming(delivery(1)._replace(began=1))], NOW)

    def full(*_: object) -> None:
        raise Unavailable("disk full")

    with monkeypatch.context() as broken:
        broken.setattr(made.buffer, "count", full)
        with pytest.raises(Unavailable):
            made.accept([incoming(delivery(2)._replace(began=1))], NOW)
    # Either the broker sends something new on the same connection, or the connection ends at once.
    if connection == 1:
        made.accept([incoming(delivery(3)._replace(began=1))], NOW)
    stored = len(values(made))
    made.accept([incoming(delivery(1, again=True, connection=2)._replace(began=1))], NOW)
    assert len(values(made)) == stored


def test_the_first_new_message_of_a_connection_ends_what_is_remembered_of_earlier_ones(tmp_path: Path) -> None:
    """A broker redelivers before it sends anything new: what has not come by then was acknowledged."""
    made = core(tmp_path)
    made.accept([incoming(delivery(1))], NOW)
    made.accept([incoming(delivery(2, connection=2))], NOW)
    made.accept([incoming(delivery(1, again=True, connection=3))], NOW)
    assert values(made) == [1.0, 1.0, 1.0]


def test_an_identifier_that_was_given_out_a_second_time_means_another_message(tmp_path: Path) -> None:
    """Messages of other gateways' devices use identifiers up too: here 65,535 of them since the first message."""
    made = core(tmp_path)
    made.accept([incoming(delivery(1))], NOW)
    made.accept([incoming(delivery(2)._replace(passed=65_534))], NOW)
    made.accept([incoming(delivery(1, again=True, connection=2))], NOW)
    assert values(made) == [1.0, 1.0, 1.0]


def test_sessions_are_kept_apart(tmp_path: Path) -> None:
    made = core(tmp_path)
    made.accept([incoming(delivery(1)), incoming(delivery(1, again=True, who="other broker"))], NOW)
    assert values(made) == [1.0, 1.0]


def test_what_is_remembered_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.incoming.KEPT", 100)
    made = core(tmp_path)
    for n in range(0, 1000, 50):
        made.accept([incoming(delivery(n + i + 1)) for i in range(50)], NOW)
    assert sum(len(kept.found) for kept in made.buffer.deliveries.all()) <= 150
    again = Core(made.buffer, made.sources)
    again.accept([incoming(delivery(1000, again=True)), incoming(delivery(1, again=True))], NOW)
    assert len(values(again)) == 1001  # the last is recognised, the first is not any more


def test_messages_that_an_older_program_remembered_are_recognised(tmp_path: Path) -> None:
    """It had a row for each message, with the digest as a number."""
    made = core(tmp_path)
    made.accept([incoming(delivery(1)), incoming(delivery(2))], NOW)
    db = made.buffer.db
    db.execute("CREATE TABLE delivery (number INTEGER PRIMARY KEY, session INTEGER, digest INTEGER, readings INTEGER)")
    (kept,) = made.buffer.deliveries.all()
    for number, (digest, readings) in enumerate(kept.found.items(), 1):
        of_message = (number, kept.session, int.from_bytes(digest, "big", signed=True), readings)
        db.execute("INSERT INTO delivery VALUES (?,?,?,?)", of_message)
    db.execute("DELETE FROM delivered")
    made.buffer.close()
    again = core(tmp_path)
    again.accept([incoming(delivery(n, again=True, connection=2)) for n in (1, 2, 3)], NOW)
    assert values(again) == [1.0, 1.0, 1.0]
    assert not again.buffer.db.execute("SELECT 1 FROM sqlite_master WHERE name = 'delivery'").fetchall()
