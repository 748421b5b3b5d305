"""The log and the topic of values on a real Kafka."""

from __future__ import annotations

import itertools
import socket
from collections.abc import Iterable

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from tests.processes import wait_for
from tests.scale.compare import Message

PARTITIONS = 8
_numbers = itertools.count()


def create(address: str, *names: str) -> None:
    """Make topics, when the broker answers."""
    host, _, port = address.partition(":")
    wait_for(lambda: is_open(host, int(port)), 60, "Kafka's port")
    admin = AdminClient({"bootstrap.servers": address})

    def answers() -> bool:
        try:
            return bool(admin.list_topics(timeout=5).brokers)
        except KafkaException:
            return False

    wait_for(answers, 60, "Kafka")
    for made in admin.create_topics([NewTopic(name, PARTITIONS, 1) for name in names]).values():
        made.result()


def is_open(host: str, port: int) -> bool:
    """Whether somebody listens there."""
    with socket.socket() as probe:
        return probe.connect_ex((host, port)) == 0


def producer(address: str) -> Producer:
    """A producer that neither loses nor doubles records, also while the broker is away."""
    return Producer(
        {"bootstrap.servers": address, "enable.idempotence": True, "linger.ms": 5, "message.timeout.ms": 600_000}
    )


def write(to: Producer, topic: str, records: Iterable[tuple[str, bytes]]) -> None:
    """Append records, keyed by city."""
    for city, record in records:
        to.produce(topic, record, key=city)
        to.poll(0)


class Reader:
    """All committed messages of a topic so far."""

    def __init__(self, address: str, topic: str) -> None:
        self.found: list[Message] = []
        self._consumer = Consumer(
            {
                "bootstrap.servers": address,
                "group.id": f"proof-{topic}-{next(_numbers)}",
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
            }
        )
        # Assigned, not subscribed: joining a group takes seconds, in which the topic looks empty.
        self._consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in range(PARTITIONS)])

    def read(self, timeout: float = 0.3) -> int:
        """Take what is there; returns how many."""
        fresh = [m for m in self._consumer.consume(2000, timeout) if not m.error()]
        self.found += [(m.key() or b"", m.value() or b"") for m in fresh]
        return len(fresh)

    def drain(self, quiet: int = 20) -> None:
        """Read until nothing comes any more."""
        empty = 0
        while empty < quiet:
            empty = 0 if self.read() else empty + 1

    def close(self) -> None:
        """Leave."""
        self._consumer.close()
