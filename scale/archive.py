"""From the log into a store: the windows of cities that are on the engine, so that each can go back to its own ingest.

The checks and writes of the ingest, without values: those come from the engine (`values.py`). An ingest that is started
on the store derives everything once and finds what the engine has derived.
"""

from __future__ import annotations

import logging
from collections.abc import Container, Sequence
from typing import Any

from adapters.kafka.topics import Entry
from adapters.mqtt.link import Message
from ingest.service import Service
from scale.records import decoded
from scale.values import Reads
from telemetry.errors import Rejected

log = logging.getLogger(__name__)


class LogLink:
    """The topic of records, as an ingest sees a broker: what was not acknowledged is received once more."""

    client_id, connected = "archive", True

    def __init__(self, topic: Reads, cities: Container[str]) -> None:
        self._topic, self._cities = topic, cities
        self._open: list[Message] = []
        self._read = False

    def receive(self, timeout: float, limit: int = 2000) -> list[Message]:  # noqa: ARG002 - as many as the topic gives
        """Windows of these cities; other records are passed over."""
        if not self._read:
            entries = self._topic.read(timeout)
            self._open = list(self._windows(entries))
            self._read = bool(entries)
        if self._read and not self._open:
            self.ack([])
        return list(self._open)

    def _windows(self, entries: Sequence[Entry]) -> list[Message]:
        found = []
        for number, entry in enumerate(entries):
            try:
                record = decoded(entry.value)
                wanted = record.kind == "windows" and record.city in self._cities
            except Rejected as reason:
                log.warning("not a record of the log: %s", reason)
                continue
            if wanted:
                found.append(Message(record.topic, record.payload, False, False, number + 1, 1, 1))
        return found

    def ack(self, messages: Sequence[Message]) -> None:  # noqa: ARG002 - a batch is acknowledged whole
        """What was read is stored."""
        if self._read:
            self._topic.done()
        self._open, self._read = [], False

    def abort(self) -> None:
        """What was read is received once more."""

    def publish(self, *_: Any, **__: Any) -> int:  # noqa: ANN401 - receipts are the bridge's
        """Nothing."""
        return 0

    def close(self) -> None:
        """Nothing."""


class Archive(Service):
    """An ingest that stores and does not derive."""

    def _derive(self) -> None:
        """Values come from the engine."""
