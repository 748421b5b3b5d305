"""The simulated nodes of a chaos run: the shipped ones, and a note of all they ever wrote."""

from __future__ import annotations

import random
import time
from collections import Counter
from itertools import count

from adapters.mqtt import Broker, Link, wait
from simulators.journal import Journal, Record
from simulators.nodes import Node
from telemetry.city import City
from telemetry.topics import command_topic
from telemetry.windows import DAY
from tests.chaos.batch import Reading, readings


class ChaosNode(Node):
    """A node whose readings may lie in the past: its clock stood at `began` when it started and runs `speed` times."""

    def __init__(self, node: Node, speed: float, began: int, now: int) -> None:
        super().__init__(node.device, node.city, node.link, node.journal, now, began)
        self.speed, self.began, self.started = speed, began, now
        self.last = began
        self.written: list[Record] = []
        self.held: list[Record] = []

    def own_time(self, now: int) -> int:
        """What this node's clock shows; never twice the same."""
        self.last = max(round(self.began + (now - self.started) * self.speed), self.last + 1)
        return self.last


class Fleet:
    """All nodes. `keeping`: they keep records after the broker's PUBACK and obey `resend`, as the firmware does."""

    def __init__(self, city: City, port: int, keeping: bool, rng: random.Random, interval_ms: int = 250) -> None:
        self.city, self.keeping, self._rng, self._interval = city, keeping, rng, interval_ms
        self._boots = count(rng.randrange(1, 1 << 20))
        self.counts: Counter[str] = Counter()
        self.writing = True
        self.holding = False
        now = time.time_ns() // 1_000_000
        self.nodes = []
        for place, device in enumerate(city.device):
            filters = [command_topic(city.id, device.id)] if keeping else []
            link = Link(Broker("127.0.0.1", port), f"{city.id}-{device.id}", filters, keepalive=10)
            plain = Node(device, city.id, link, Journal(next(self._boots), None if keeping else 0), now)
            late = place % 2 == 1 or device.kind == "ev_charger"
            speed, began = (300.0, now - 3 * DAY - place * 1237) if late else (1.0, now)
            self.nodes.append(ChaosNode(plain, speed, began, now))

    def step(self, timeout: float = 0.05) -> None:
        """One round of all nodes."""
        wait([n.link for n in self.nodes], timeout)
        now = time.time_ns() // 1_000_000
        for node in self.nodes:
            node.settle()
            if self.writing and now >= node.next_at and node.link.connected:
                node.next_at = now + self._interval
                self._write(node, now)

    def _write(self, node: ChaosNode, now: int) -> None:
        records = node.read(node.own_time(now))
        node.written += records
        if self.holding:
            node.held += records
        else:
            node.send(records)

    def release(self) -> None:
        """Send what was held back, in another order."""
        self.holding = False
        for node in self.nodes:
            self._rng.shuffle(node.held)
            node.send(node.held)
            node.held = []

    def repeat(self, share: float) -> int:
        """Send some records again that were sent before; how many."""
        sent = 0
        for node in self.nodes:
            again = [r for r in node.written[-400:] if self._rng.random() < share and r not in node.held]
            node.send(again)
            sent += len(again)
        return sent

    def reboot(self, node: ChaosNode) -> None:
        """A node loses power: its connection is gone, what was not acknowledged is sent again under a new boot."""
        node.link.drop()
        node.link._client._out_messages.clear()
        again = node.journal.restart(next(self._boots))
        node.send(again)

    @property
    def waiting(self) -> int:
        """Messages the broker has not acknowledged."""
        return sum(len(n.journal._open) for n in self.nodes)

    @property
    def acknowledged(self) -> list[int]:
        """Acknowledged records of each node."""
        return [n.acknowledged for n in self.nodes]

    def sent(self) -> list[Reading]:
        """Every reading that was written."""
        return [x for n in self.nodes for r in n.written for x in readings(n.device.id, r.entries)]

    def close(self) -> None:
        """Disconnect."""
        for node in self.nodes:
            node.link.close()
