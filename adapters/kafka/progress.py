"""How far the consumers of a topic have read. Needs the extra `kafka`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from telemetry.errors import Unavailable


class Progress(NamedTuple):
    """`places`: partition -> offset that the group reads next (negative: it has read none), and the end.

    None where the topic does not exist.
    """

    topic: str
    group: str
    places: dict[int, tuple[int, int]] | None


def progress(
    brokers: str, groups: Mapping[str, str], client: Mapping[str, str], timeout: float = 5.0
) -> Iterator[Progress]:
    """The progress of the consumer group of each topic. Raises Unavailable."""
    settings: dict[str, str | int | float | bool] = {"bootstrap.servers": brokers, "log_level": 0, **client}
    try:
        topics = AdminClient(settings).list_topics(timeout=timeout).topics
        for topic, group in groups.items():
            found = topics.get(topic)
            yield Progress(
                topic,
                group,
                None if found is None else _places(settings, topic, group, list(found.partitions), timeout),
            )
    except KafkaException as error:
        raise Unavailable(f"Kafka at {brokers} does not answer: {error.args[0].str()}. Is it running?") from error


def _places(
    settings: Mapping[str, str | int | float | bool], topic: str, group: str, partitions: list[int], timeout: float
) -> dict[int, tuple[int, int]]:
    consumer = Consumer({**settings, "group.id": group})
    try:
        read = consumer.committed([TopicPartition(topic, p) for p in partitions], timeout=timeout)
        return {p.partition: (p.offset, consumer.get_watermark_offsets(p, timeout=timeout)[1]) for p in read}
    finally:
        consumer.close()
