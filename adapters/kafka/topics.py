"""Appending to a topic of Kafka and reading from one, so that nothing is lost: needs the extra `kafka`."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from confluent_kafka import Consumer, KafkaException, Message, Producer

from telemetry.errors import Unavailable

log = logging.getLogger(__name__)

_ANSWER_S = 10.0  # until which Kafka must have taken what was appended
_SETTINGS = {"log_level": 2, "allow.auto.create.topics": False}  # librdkafka logs every attempt to connect


class Entry(NamedTuple):
    """A message of a topic."""

    key: bytes
    value: bytes


class Appender:
    """Appends to one topic. What `append` returned from is on all replicas that are in step."""

    def __init__(self, brokers: str, topic: str, others: Mapping[str, str] | None = None) -> None:
        self._topic = topic
        self._producer = Producer(
            {
                **_SETTINGS,
                "bootstrap.servers": brokers,
                "enable.idempotence": True,
                "acks": "all",
                "linger.ms": 2,
                "message.timeout.ms": round(_ANSWER_S * 1000),
                **(others or {}),
            }
        )

    def append(self, entries: Iterable[Entry]) -> None:
        """Append and wait until Kafka has all of it. Raises Unavailable: then some may be there and some not."""
        failures: list[str] = []

        def taken(error: object, _: object) -> None:
            if error is not None:
                failures.append(str(error))

        try:
            for entry in entries:
                self._producer.produce(self._topic, entry.value, key=entry.key, on_delivery=taken)
                self._producer.poll(0)
            left = self._producer.flush(_ANSWER_S * 2)
        except (KafkaException, BufferError) as error:
            raise Unavailable(f"Kafka does not take records: {error}") from error
        if failures or left:
            raise Unavailable(f"Kafka has not taken {len(failures) + left} records: {(failures or ['no answer'])[0]}")


class Reader:
    """Committed messages of one topic, each at least once: what was read is given again until `done` was called."""

    def __init__(self, brokers: str, topic: str, group: str, others: Mapping[str, str] | None = None) -> None:
        self._consumer = Consumer(
            {
                **_SETTINGS,
                "bootstrap.servers": brokers,
                "group.id": group,
                "auto.offset.reset": "earliest",
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                **(others or {}),
            }
        )
        self._consumer.subscribe([topic])
        self._last_error = ""

    def read(self, timeout: float, limit: int = 2000) -> list[Entry]:
        """Wait up to `timeout` seconds for messages; those of a partition keep their order."""
        return [Entry(m.key() or b"", m.value() or b"") for m in self._good(self._consumer.consume(limit, timeout))]

    def _good(self, found: Sequence[Message]) -> list[Message]:
        """Without events of errors, which are logged when they change; the client connects again by itself."""
        error = next((str(m.error()) for m in found if m.error()), "")
        if error and error != self._last_error:
            log.warning("Kafka: %s", error)
        self._last_error = error or self._last_error
        return [m for m in found if not m.error()]

    def done(self) -> None:
        """What was read is stored: it is not given again. Raises Unavailable."""
        try:
            self._consumer.commit(asynchronous=False)
        except KafkaException as error:
            if error.args and error.args[0].name() == "_NO_OFFSET":
                return
            raise Unavailable(f"Kafka does not take the place up to which values are stored: {error}") from error

    def close(self) -> None:
        """Leave the group."""
        self._consumer.close()
