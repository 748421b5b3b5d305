"""The simulated nodes of a chaos run: the shipped ones, and a note of all they ever wrote."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import count
from typing import Any

import numpy as np

from adapters.mqtt.broker import Broker
from adapters.mqtt.link import Link, wait
from registry.city import City
from simulators.journal import Journal, Record
from simulators.nodes import Node
from simulators.synthetic import register
from telemetry.topics import ROOT, command_topic
from telemetry.windows import DAY, HOUR
from tests.chaos.checking.batch import Reading, readings
from tests.chaos.clients import Client
from tests.chaos.direct import KINDS, DirectDevice

FLAT = "meter-2"  # this one is a meter of another make: flat JSON, Wh, and a register that starts at zero
_RESET = 6 * HOUR  # of its own time


class ChaosNode(Node):
    """A node whose readings may lie in the past: its clock stood at `began` when it started.

    A `fast` one reads three times in ten seconds, then not for minutes: 300 times as fast as it writes, and still a
    window has several readings, of which one can be late.
    """

    def __init__(self, node: Node, fast: bool, began: int) -> None:
        super().__init__(node.device, node.city, node.link, node.journal, node.next_at, began)
        self.fast, self.last = fast, began
        self.written: list[Record] = []
        self.held: list[Record] = []  # not sent yet
        self.late: list[Record] = []  # to be sent a few at a time

    def own_time(self, now: int) -> int:
        """What this node's clock shows; never twice the same."""
        pause = (5_000, 5_000, 215_000)[len(self.written) % 3]
        self.last = self.last + pause if self.fast else max(now, self.last + 1)
        return self.last


class FlatNode(ChaosNode):
    """A meter of another make, see FLAT."""

    def read(self, now: int) -> list[Record]:
        """The register since it last started at zero."""
        records = super().read(now)
        before = float(register(self.device.id, np.array([now // _RESET * _RESET]))[0])
        for record in records:
            record.entries[0]["v"] = round(record.entries[0]["v"] - before + 0.5, 3)
        return records

    def send(self, records: Iterable[Record]) -> None:
        """One message a record."""
        for record in records:
            message = json.dumps(flat(record.entries[0])).encode()
            self.journal.sent(self.link.publish(f"{ROOT}/{self.city}/{self.device.id}/flat", message), [record])
            self.sent += 1


def flat(entry: dict[str, Any]) -> dict[str, Any]:
    """A SenML entry of an energy register as such a meter says it."""
    when = datetime.fromtimestamp(entry["bt"], UTC).isoformat(timespec="milliseconds")
    reading = {"value": round(entry["v"] * 1000), "unit": "Wh"}
    return {"time": when, "boot": entry["boot"], "seq": entry["seq"], entry["n"]: reading}


class Fleet:
    """All nodes. `keeping`: they keep records after the broker's PUBACK and obey `resend`, as the firmware does."""

    def __init__(
        self, cities: Sequence[City], port: int, keeping: bool, rng: random.Random, interval_ms: int = 250,
        direct: int = 0, clients: Sequence[Client] = (),
    ) -> None:  # fmt: skip
        """`direct`: the broker's own port, where it never forgets what it acknowledged: then devices that nobody can
        ask for records again send, too. `clients`: of the gateway's other doors.
        """
        self.clients = clients
        self._writing = True
        self.direct = [DirectDevice(kind, cities[0].id, direct) for kind in KINDS] if direct else []
        self.keeping, self._rng, self._interval = keeping, rng, interval_ms
        self._boots = count(rng.randrange(1, 1 << 20))
        self.counts: Counter[str] = Counter()
        self.holding = False
        self.began = now = time.time_ns() // 1_000_000
        self.nodes: list[ChaosNode] = []
        for place, (city, device) in enumerate((c, d) for c in cities for d in c.device):
            filters = [command_topic(city.id, device.id)] if keeping else []
            link = Link(Broker("127.0.0.1", port), f"{city.id}-{device.id}", filters, keepalive=10)
            plain = Node(device, city.id, link, Journal(next(self._boots), None if keeping else 0), now)
            late = place % 2 == 1 or device.kind == "ev_charger"
            kind = FlatNode if device.id == FLAT else ChaosNode
            self.nodes.append(kind(plain, late, now - 3 * DAY - place * 1237 if late else now))

    @property
    def writing(self) -> bool:
        """Whether new records are made."""
        return self._writing

    @writing.setter
    def writing(self, value: bool) -> None:
        self._writing = value
        for client in self.clients:
            client.writing = value

    def step(self, timeout: float = 0.05) -> None:
        """One round of all nodes."""
        wait([n.link for n in self.nodes] + [d.link for d in self.direct], timeout)
        for device in self.direct:
            device.step(self.writing)
        now = time.time_ns() // 1_000_000
        for node in self.nodes:
            node.settle()
            if now >= node.next_at:
                node.next_at = now + self._interval
                few, node.late = node.late[:1], node.late[1:]
                node.send(few)
                if self.writing:
                    self._write(node, now)

    def _write(self, node: ChaosNode, now: int) -> None:
        records = node.read(node.own_time(now))
        node.written += records
        if self.holding:
            node.held += records
        else:
            node.send(records)

    def release(self) -> None:
        """Send what was held back, in another order and a few at a time, so that parts of a window come late."""
        self.holding = False
        for node in self.nodes:
            self._rng.shuffle(node.held)
            node.late, node.held = node.late + node.held, []

    def repeat(self, share: float) -> int:
        """Send some records again that were sent before; how many."""
        sent = 0
        for node in self.nodes:
            again = [r for r in node.written[-400:] if self._rng.random() < share and r not in node.held + node.late]
            node.send(again)
            sent += len(again)
        return sent

    def reboot(self, node: ChaosNode) -> None:
        """A node loses power: its connection is gone, what was not acknowledged is resent under a new boot."""
        node.link.abort()
        node.link._client._out_messages.clear()
        again = node.journal.restart(next(self._boots))
        node.send(again)

    @property
    def waiting(self) -> int:
        """What a broker or a door has not acknowledged, and records that are still to be sent."""
        return sum(len(n.journal._open) + len(n.late) for n in self.nodes) + sum(c.waiting for c in self.clients)

    @property
    def acknowledged(self) -> list[int]:
        """Acknowledged records of each node."""
        return [n.acknowledged for n in self.nodes]

    def sent(self, city: str = "") -> list[Reading]:
        """Every reading that was written, of the devices that one city lists, or of all and the clients."""
        mine = [n for n in self.nodes if city in ("", n.city)]
        pushed = [r for c in self.clients for r in c.sent] if not city else []
        return [x for n in mine for r in n.written for x in readings(n.device.id, r.entries)] + pushed

    def close(self) -> None:
        """Disconnect."""
        for node in self.nodes:
            node.link.close()
        for device in self.direct:
            device.link.close()
        for client in self.clients:
            client.close()
