"""Mistakes, planted to see that the chaos runs find them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from adapters.buffer import Buffer
from gateway.service import Gateway


def ack_before_commit() -> None:
    """The gateway acknowledges a batch one round before it stores it."""
    plain = Gateway._receive
    held: list[Any] = []

    def receive(self: Gateway) -> None:
        batch = self.source.take()
        self.source.ack(batch)
        held.append(batch)
        if len(held) > 10:
            self.source._inbox[:0] = held.pop(0)
            plain(self)

    Gateway._receive = receive  # type: ignore[method-assign]


def lose_dirty() -> None:
    """The set of windows to send lives in memory only: a restart forgets it."""
    plain = Buffer.call_back

    def forget(self: Buffer) -> None:
        plain(self)
        self.db.execute("DELETE FROM dirty")

    Buffer.call_back = forget  # type: ignore[method-assign]


def count_twice() -> None:
    """A reading that is delivered again is another reading."""
    plain = Buffer.put

    def put(self: Buffer, readings: Any) -> int:
        return plain(self, replace(readings, key=readings.key + readings.arrival))

    Buffer.put = put  # type: ignore[method-assign]
