"""Mistakes, planted to see that the chaos runs find them."""

from __future__ import annotations

import os
from dataclasses import replace
from itertools import count
from typing import Any

from adapters.influx.http import Connection, PartialWrite
from adapters.influx.lines import Heads
from adapters.sqlite import buffer
from adapters.sqlite.buffer import Buffer
from adapters.sqlite.order import Order
from gateway import core
from gateway.decoding.mapping import Mapper
from gateway.doors.inbox import Delivery, Inbox
from gateway.incoming import Incoming, Redelivered
from gateway.ledger import Account
from gateway.service import Gateway
from ingest.core import CityIngest
from ingest.rounds import Waiting
from ingest.service import Service
from telemetry.errors import Unavailable


def ack_before_commit() -> None:
    """The gateway acknowledges a batch one round before it stores it."""
    plain = Gateway._receive
    held: list[Any] = []

    def receive(self: Gateway) -> None:
        batch = self.source.received()
        self.source.ack(batch)
        held.append(batch)
        if len(held) > 10:
            self.source._inbox[:0] = held.pop(0)
            plain(self)

    Gateway._receive = receive  # type: ignore[method-assign]


def doors_forget() -> None:
    """Every fifth request of HTTP push and OCPP is acknowledged and not stored."""
    plain, asked = Inbox.take, count(1)

    def take(self: Inbox, limit: int = 2000) -> list[Delivery]:
        brought = [(next(asked) % 5, delivery) for delivery in plain(self, limit)]
        self.answer([delivery for number, delivery in brought if not number], True)
        return [delivery for number, delivery in brought if number]

    Inbox.take = take  # type: ignore[method-assign]


def lose_dirty() -> None:
    """The set of windows to send lives in memory only: a restart forgets it."""
    plain = Buffer.requeue_unconfirmed

    def forget(self: Buffer) -> None:
        plain(self)
        self.db.execute("DELETE FROM dirty")

    Buffer.requeue_unconfirmed = forget  # type: ignore[method-assign]


def count_twice() -> None:
    """A reading that is delivered again is another reading."""
    plain = Buffer.put

    def put(self: Buffer, readings: Any, sent: Any = None, arrived: Any = None) -> int:
        return plain(self, replace(readings, key=readings.key + readings.arrival), sent, arrived)

    Buffer.put = put  # type: ignore[method-assign]


def receipt_before_store() -> None:
    """Ingest confirms a batch to the gateway and the broker before it stores it."""
    plain = Service._store

    def store(self: Service, part: list[Waiting]) -> None:
        self._receipts((one.message.topic, one.number) for one in part)
        self.link.ack([one.message for one in part])
        plain(self, part)

    Service._store = store  # type: ignore[method-assign]


def any_order() -> None:
    """An older state of a window replaces a newer one."""
    Order.superseded = lambda _, numbered: (False for _ in numbered)  # type: ignore[method-assign,assignment]


def receipt_for_a_change() -> None:
    """The receipt for a window clears the mark of what changed in it since."""
    buffer._MARK = "INSERT INTO dirty VALUES (?,?,1,0) ON CONFLICT DO UPDATE SET generation = generation + 1"


def finished_windows() -> None:
    """A late reading is stored, but its window is not requeued."""
    plain = Buffer.put

    def put(self: Buffer, readings: Any, sent: Any = None, arrived: Any = None) -> int:
        were_sent = "SELECT DISTINCT window, series FROM every_reading EXCEPT SELECT window, series FROM dirty"
        before = set(self.db.execute(were_sent).fetchall())
        changed = plain(self, readings, sent, arrived)
        newest = dict(self.db.execute("SELECT series, max(window) FROM every_reading GROUP BY series"))
        late = [place for place in before if place[0] < newest[place[1]]]
        self.db.executemany("DELETE FROM dirty WHERE window=? AND series=?", late)
        return changed

    Buffer.put = put  # type: ignore[method-assign]


def publish_once() -> None:
    """KPI values are published when they change, and not again after a restart."""
    CityIngest.newest = lambda _: []  # type: ignore[method-assign,assignment]


def another_site() -> None:
    """InfluxDB: each life of ingest has a tag of its own, so that windows stand there twice."""
    plain, mine = Heads.of, str(os.getpid())
    Heads.of = lambda self, series, site: plain(self, series, mine)  # type: ignore[method-assign]


def a_little_later() -> None:
    """Readings are stored a millisecond after their time."""
    plain = Buffer.put

    def put(self: Buffer, readings: Any, sent: Any = None, arrived: Any = None) -> int:
        return plain(self, replace(readings, t=readings.t + 1), sent, arrived)

    Buffer.put = put  # type: ignore[method-assign]


def count_duplicates() -> None:
    """The ledger counts a duplicate as another record."""
    plain = Account.add

    def add(self: Account, seq: int, stored: bool) -> None:
        before = self.duplicate
        plain(self, seq, stored)
        self.received += self.duplicate - before

    Account.add = add  # type: ignore[method-assign]


def one_a_millisecond() -> None:
    """A reading without a time is known by its arrival alone: of those of one millisecond one stays."""
    core.with_keys = lambda rows, records, number: [(*row[:4], max(row[4], 0), row[5]) for row in rows]  # type: ignore[attr-defined]


def accept_all_numbers() -> None:
    """What a foreign device calls boot and seq numbers its records, whatever the source says."""
    plain = Mapper.__init__

    def made(self: Mapper, mapping: Any, *others: Any, **named: Any) -> None:
        plain(self, mapping.model_copy(update={"ignore": [], "numbered": ["boot", "seq"]}), *others, **named)

    Mapper.__init__ = made  # type: ignore[method-assign]


def replay_drops() -> None:
    """A replay deletes rejects whose readings it does not store."""
    plain = core.Core.accept

    def accept(self: core.Core, messages: Any, arrival: int, kept: bool = False) -> core.Counts:
        if kept and arrival % 2:
            return core.Counts(len(messages), 0, 0, 0, 0)
        return plain(self, messages, arrival, kept)

    core.Core.accept = accept  # type: ignore[method-assign]


def retention_is_trouble() -> None:
    """What InfluxDB can never store is retried forever."""

    def write(self: Connection, lines: str | bytes, policy: str = "") -> None:
        try:
            self.write_all(lines, policy)
        except PartialWrite as error:
            raise Unavailable(str(error)) from error

    Connection.write = write  # type: ignore[method-assign]


def redelivered_twice() -> None:
    """What the broker redelivers is another message."""
    plain = Redelivered.readings

    def readings(self: Redelivered, message: Incoming) -> None:
        plain(self, message)

    Redelivered.readings = readings  # type: ignore[method-assign]


def fall_over() -> None:
    """The gateway ends with an error in its third second; the next start makes it good."""
    plain, rounds = Gateway._housekeeping, count(1)

    def housekeeping(self: Gateway, now: int) -> None:
        plain(self, now)
        if next(rounds) == 3:
            raise RuntimeError("planted")

    Gateway._housekeeping = housekeeping  # type: ignore[method-assign]
