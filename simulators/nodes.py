"""Simulated nodes: each with a connection, a boot id and sequence numbers of its own, publishing like the firmware."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np

from adapters.mqtt import Broker, Link, wait
from simulators.synthetic import columns, sessions
from telemetry.city import City, Device
from telemetry.quantities import QUANTITIES
from telemetry.topics import ROOT, data_topic
from telemetry.windows import DAY


@dataclass(slots=True)
class Node:
    """One node. `next_at`: when it reads next, ms UTC."""

    device: Device
    city: str
    link: Link
    boot: int
    next_at: int
    seq: int = 0
    sessions_until: int = 0
    sent: int = 0
    acknowledged: int = 0
    _open: set[int] = field(default_factory=set)

    def read(self, now: int) -> list[dict[str, Any]]:
        """The SenML records of one reading at `now`, and of the sessions that ended since the last one."""
        t = np.array([now], dtype=np.int64)
        records: list[dict[str, Any]] = [
            {"n": c.quantity, "u": QUANTITIES[c.quantity].unit, "v": float(c.value[0])} for c in columns(self.device, t)
        ]
        if records:
            records[0] = {"bt": now / 1000, "boot": self.boot, "seq": self._next_seq(), **records[0]}
        return records + self._ended_sessions(now)

    def _ended_sessions(self, now: int) -> list[dict[str, Any]]:
        if "session_energy" not in self.device.quantities:
            return []
        since, self.sessions_until = self.sessions_until, now
        ended = [s for s in sessions(self.device.id, since - DAY, now) if since <= s.end < now]
        return [
            {"n": "session_energy", "u": "kWh", "v": s.energy, "bt": s.start / 1000, "end": s.end / 1000,
             "key": f"{self.device.id}-{s.start}", "boot": self.boot, "seq": self._next_seq()}
            for s in ended
        ]  # fmt: skip

    def _next_seq(self) -> int:
        self.seq += 1
        return self.seq

    def publish(self, now: int, interval: int) -> None:
        """Send what is to be read now, and note when to read next."""
        self._open.add(self.link.publish(data_topic(self.city, self.device.id), msgspec.json.encode(self.read(now))))
        self.sent += 1
        self.next_at += max(1, (now - self.next_at) // interval + 1) * interval

    def settle(self) -> None:
        """Count what the broker acknowledged."""
        done = self._open & set(self.link.delivered())
        self._open -= done
        self.acknowledged += len(done)


def make_nodes(city: City, broker: Broker, interval_ms: int, now: int) -> list[Node]:
    """A node for each device of the city; their readings are spread over the interval."""
    nodes = []
    for place, device in enumerate(city.device):
        link = Link(broker, f"{city.id}-{device.id}")
        status = f"{ROOT}/{city.id}/{device.id}/status"
        link.will(status, b'{"state":"offline"}')
        first = now + interval_ms * place // max(len(city.device), 1)
        nodes.append(Node(device, city.id, link, random.getrandbits(31), first, sessions_until=now))
    return nodes


def run(nodes: list[Node], interval_ms: int, clock: Callable[[], int], stop: Callable[[], bool]) -> None:
    """Let the nodes read and publish until `stop` says so."""
    while not stop():
        wait([n.link for n in nodes], 0.2)
        now = clock()
        for node in nodes:
            node.settle()
            if now >= node.next_at and node.link.connected:
                node.publish(now, interval_ms)
    for node in nodes:
        node.link.close()
