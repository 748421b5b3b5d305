"""From MQTT into the log: windows, city files and ticks. A message is acknowledged after Kafka has it.

    gateways --MQTT--> bridge --> log of Kafka
        ^----receipts----'

Whether windows can be used is decided by the job, which has the state. A crash between any two steps is repaired by the
same messages again, which are upserts.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from adapters.kafka.topics import Entry
from adapters.mqtt.link import Link, Message
from adapters.sqlite.order import Order
from registry.city import City
from scale.records import Record, city_file, decoded, tick
from telemetry.errors import Rejected, Unavailable
from telemetry.windows import HOUR
from telemetry.wire import number

log = logging.getLogger(__name__)


class Appends(Protocol):
    """The log."""

    def append(self, entries: Sequence[Entry]) -> None:
        """Append all of it. Raises Unavailable."""
        ...


@dataclass(slots=True)
class Bridge:
    """`order`: the largest number of each gateway that is in the log. `clock`: ms UTC. `every`: ms between the ticks of
    a city with new windows; every city has one an hour.
    """

    link: Link
    log: Appends
    order: Order
    cities: Sequence[City]
    clock: Callable[[], int]
    every: int = 10_000
    _ticked: dict[str, int] = field(default_factory=dict)  # city -> its last tick
    _fresh: set[str] = field(default_factory=set)  # cities with windows since their last tick
    _last_status: str = ""

    def start(self) -> None:
        """Append the files of the cities. Raises Unavailable."""
        now = self.clock()
        records = []
        for city in self.cities:
            plain = msgspec.json.encode(city.model_dump(mode="json", exclude_defaults=True))
            records += [city_file(city.id, plain, now), tick(city.id, now)]
            self._ticked[city.id] = now
        self.log.append([_entry(record) for record in records])

    def run(self, stop: Callable[[], bool]) -> None:
        """Work until `stop` returns True."""
        while not stop():
            self.step()
        self.link.close()

    def step(self, timeout: float = 0.5) -> None:
        """One round: append a batch and the ticks that are due, then receipts and acknowledgement."""
        batch = self.link.receive(timeout, limit=500)
        late = list(self.order.superseded((m.topic, number(m.payload)) for m in batch))
        fresh = [message for message, overtaken in zip(batch, late, strict=True) if not overtaken]
        records = self._records(fresh)
        ticks = self._ticks({record.city for record in records})
        try:
            if records or ticks:
                self.log.append([_entry(record) for record in (*records, *ticks)])
        except Unavailable as error:
            self._log_once(f"nothing is acknowledged: {error}")
            self.link.abort()
            return
        self._log_once("")
        self._note(records, ticks)
        self.order.mark_stored((m.topic, number(m.payload)) for m in fresh)
        self._receipts(fresh)
        self._request_missing({m.topic for m, overtaken in zip(batch, late, strict=True) if overtaken})
        self.link.ack(batch)

    def _records(self, messages: Sequence[Message]) -> list[Record]:
        """Without those whose topic names no city: they can reach no job."""
        now, found = self.clock(), []
        for message in messages:
            try:
                record = decoded(Record(message.topic, now, message.payload).encoded())
                _ = record.city
            except Rejected as reason:
                log.warning("not for the log: %s", reason)
                continue
            found.append(record)
        return found

    def _ticks(self, cities: set[str]) -> list[Record]:
        """Of cities with new windows after a while, of all others each hour."""
        now = self.clock()
        waiting = self._fresh | cities
        due = {c for c in waiting if now - self._ticked.get(c, 0) >= self.every}
        due |= {c for c, last in self._ticked.items() if now // HOUR != last // HOUR}
        return [tick(city, now) for city in sorted(due)]

    def _note(self, records: Sequence[Record], ticks: Sequence[Record]) -> None:
        self._fresh |= {record.city for record in records}
        for record in ticks:
            self._ticked[record.city] = record.time
            self._fresh.discard(record.city)

    def _receipts(self, messages: Sequence[Message]) -> None:
        """Send gateways the numbers of messages that are in the log: they do not resend these."""
        numbers: dict[str, list[int]] = {}
        for message in messages:
            if known := number(message.payload):
                numbers.setdefault(message.topic.rpartition("/")[0], []).append(known)
        for sender, of_gateway in numbers.items():
            self.link.publish(f"{sender}/stored", msgspec.json.encode(of_gateway))

    def _request_missing(self, topics: set[str]) -> None:
        """Send the newest number where messages were overtaken: the gateway queues windows without receipt again."""
        for topic in topics:
            sender = topic.rpartition("/")[0]
            self.link.publish(f"{sender}/stored", msgspec.json.encode([self.order.newest(topic)]))

    def _log_once(self, sentence: str) -> None:
        """One log line per change of state."""
        if sentence != self._last_status:
            log.warning(sentence or "writing to the log again")
            self._last_status = sentence


def _entry(record: Record) -> Entry:
    return Entry(record.city.encode(), record.encoded())
