"""Devices that nobody can ask for records again: they talk to the edge broker itself, past the proxies.

Each value is another, so that every reading is known by it. What the broker has acknowledged must be in the gateway
once.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

from adapters.mqtt.broker import Broker
from adapters.mqtt.link import Link
from telemetry.topics import ROOT
from telemetry.windows import DAY

REPAIRED = "leistung"  # a name that the source maps only once it is repaired
OLD_DAYS = 500  # older than the retention of the InfluxDB of a run
_UNDER_WAY = 300


class Direct(NamedTuple):
    """One kind of device. `topic`: the last level. `burst` messages every `pause_s` seconds."""

    device: str
    topic: str
    burst: int
    pause_s: float
    message: Callable[[int, int], dict[str, object]]


def _iso(now: int) -> str:
    return datetime.fromtimestamp(now / 1000, UTC).isoformat(timespec="milliseconds")


KINDS = (
    # Without a clock and without numbers, many a millisecond; 200 a second, as many as the gateway's budget of a sender
    # allows forever: a faster one loses readings by rule after an outage of minutes.
    Direct("undated-1", "flat", 30, 0.15, lambda n, _: {"power": n}),
    # With a counter and a reset reason of its own under the names of our record numbers.
    Direct("foreign-1", "foreign", 5, 0.5, lambda n, _: {"boot": 1, "seq": n % 50, "power": n}),
    # Of a family that is connected only later: rejected, until the source is repaired and the rejects are replayed.
    Direct("repaired-1", "foreign", 5, 0.5, lambda n, _: {REPAIRED: {"value": n, "unit": "W"}}),
    # Found in a drawer.
    Direct("old-1", "flat", 1, 2.0, lambda n, now: {"time": _iso(now - OLD_DAYS * DAY), "power": n}),
)
OLD = KINDS[-1].device


class DirectDevice:
    """A running device of one kind."""

    def __init__(self, kind: Direct, city: str, port: int) -> None:
        self.kind = kind
        self.link = Link(Broker("127.0.0.1", port), f"{city}-{kind.device}", [], keepalive=10)
        self._topic = f"{ROOT}/{city}/{kind.device}/{kind.topic}"
        self._value, self._next, self._last = 0, 0.0, 0
        self._open: dict[int, float] = {}
        self.acknowledged: set[float] = set()
        self._connection = 0
        self.sent_again: set[float] = set()  # without a PUBACK before their connection ended: QoS 1 may deliver both

    @property
    def device(self) -> str:
        """Its id."""
        return self.kind.device

    def step(self, writing: bool) -> None:
        """Send a burst when it is time, and note what the broker has acknowledged."""
        for mid in self.link.delivered():
            if mid in self._open:
                self.acknowledged.add(self._open.pop(mid))
        if self.link.epoch != self._connection:
            self._connection = self.link.epoch
            self.sent_again.update(self._open.values())
        if writing and self.link.connected and time.monotonic() >= self._next and len(self._open) < _UNDER_WAY:
            self._next = time.monotonic() + self.kind.pause_s
            for _ in range(self.kind.burst):
                self._value += 1
                self._last = max(time.time_ns() // 1_000_000, self._last + 1)  # of one device no two at one time
                body = json.dumps(self.kind.message(self._value, self._last)).encode()
                self._open[self.link.publish(self._topic, body)] = float(self._value)
